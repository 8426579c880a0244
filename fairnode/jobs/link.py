"""Child job: one list of persons, from the source to sealed shares; no name and no key leaves this process.

In: `view` (a job of `fairnode.jobs.view` with identifiers; where it writes is this job's own affair), `key`
(the name of the rule), `bound`. Out: what became of the records, for the owner of the list only, and the hash
of the view.

With `deal` (`{"program", "parameters", "place", "secret", "study", "attempt", "sender", "receivers",
"signing_key", "block"}`) the list is hashed and dealt too: `packages`, `pieces` and `commitment` as of
`fairnode.jobs.deal`, or `failed`: it does not fit into the bins with this attempt's key (P13).
"""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fairnode.errors import NotValid
from fairnode.jobs import view as views
from fairnode.jobs.deal import written
from fairnode.jobs.process import main
from fairnode.linkage.keys import VARIABLES, Identity, key_rule
from fairnode.linkage.persons import Keyed, Record, keys_of
from fairnode.mpc.dealing import Terms, deal
from fairnode.mpc.overlap.shape import OverlapShape
from fairnode.mpc.overlap.tables import AttemptFailed, HashingKey, bins
from fairnode.mpc.programs import program
from fairnode.mpc.programs.contract import Columns


def run(job: dict[str, Any]) -> dict[str, Any]:
    """Make the keys, and deal them if asked to. Raises `NotValid` for a list without keys, or too long."""
    with tempfile.TemporaryDirectory() as folder:  # in the job's own folder, which goes with the job
        path = Path(folder, "list.parquet")
        made = views.run({**job["view"], "output": str(path)})
        keyed = keys_of(list(read_records(path)), key_rule(job["key"]))
    _check_length(keyed, int(job["bound"]))
    counts = {name: value for name, value in asdict(keyed).items() if name != "keys"}
    told = {**counts, "persons": len(keyed.keys), "sha256": made["sha256"]}
    return told | (dealt(keyed, job["deal"]) if "deal" in job else {})


def read_records(path: Path) -> Iterator[Record]:
    """The rows of a view with identifiers."""
    table = pq.read_table(path)
    keyed = "personKey" in table.column_names
    persons = table["personKey"].to_pylist() if keyed else [None] * table.num_rows
    columns = [table[name].to_pylist() for name in VARIABLES]
    for person, row in zip(persons, zip(*columns, strict=True), strict=True):
        yield Record(person or "", Identity.of(*row))


def _check_length(keyed: Keyed, bound: int) -> None:
    if not keyed.keys:
        raise NotValid(
            "No person on this list has a usable key.", to_do="Check the columns for names and birth dates."
        )
    if len(keyed.keys) > bound:
        raise NotValid(
            f"The list has {len(keyed.keys)} persons, more than the {bound} agreed in the study.",
            to_do="The researcher sends the study again with a higher bound.",
        )


def dealt(keyed: Keyed, job: dict[str, Any]) -> dict[str, Any]:
    """The list as sealed shares, or that it does not fit with this attempt's key."""
    chosen, parameters, place = program(job["program"]), job["parameters"], int(job["place"])
    key = HashingKey(bytes.fromhex(job["secret"]), job["study"], int(job["attempt"]))
    try:
        words = bins(keyed.keys, key, OverlapShape.of(parameters), place).words
    except AttemptFailed:
        return {"failed": True}
    receivers = tuple(bytes.fromhex(receiver) for receiver in job["receivers"])
    length, ring = chosen.length(parameters, place), chosen.ring(parameters)
    terms = Terms(job["study"], int(job["attempt"]), job["sender"], ring, length, receivers)
    signing = Ed25519PrivateKey.from_private_bytes(base64.b64decode(job["signing_key"]))
    as_columns: Columns = [words]  # type: ignore[list-item]
    dealing = deal(chosen.encode(as_columns, parameters, place), terms, signing)
    return {"failed": False, **written(dealing, Path(job["block"]))}


if __name__ == "__main__":
    main(run)
