"""Profiles with noise: differentially private counts, paid for from a budget that an operator permitted.

The loss is charged in the node's database before anything is counted, and stays charged whatever comes of it.
What was drawn is kept, for to draw again would be to pay again. Noise does not
lift P6: the counts are a local release like any other.
"""

from __future__ import annotations

import importlib.util
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

from fairnode import clock, errors
from fairnode.child import job_folder, run_child
from fairnode.disclosure.history import remember
from fairnode.disclosure.rounding import public_table, round_count
from fairnode.gate.histories import release_from_json, release_to_json
from fairnode.gate.recounts import recount_from_json
from fairnode.gate.step import person_set_draft
from fairnode.keys import digest
from fairnode.ledger.commit import Entry, commit
from fairnode.node import Node
from fairnode.profiles.measure import (
    Case,
    Measured,
    check_profiles,
    count_in,
    make_view,
    read_case,
    split_barred,
    variable_of,
)
from fairnode.profiles.publish import block_of
from fairnode.records.charge import Charge
from fairnode.records.profile import Profile, profile_from_json, profile_to_json, round_size
from fairnode.records.result import Outcome, PublicCell, PublicTable, Recount, RecountedTable, Status, Verdict
from fairnode.records.rows import Dataset
from fairnode.store.database import Transaction

SECONDS = 600.0
PROFILE = "profile-"
"""How the names of charges for profiles begin; those for visits are the visits' names."""


def measure_with_noise(node: Node, dataset: Dataset, variables: Sequence[str], epsilon: str) -> Measured:
    """Charge `epsilon`, count the `variables`, add the noise, and keep what was drawn for `drawn`.

    Raises `NotAllowed` beyond the budget of the dataset, `NotValid` for one that cannot tell persons apart or
    is too small, and for variables of which a person may have several values.
    """
    case = read_case(node, dataset, variables)
    if not case.description.dataset.knows_persons:
        raise errors.NotValid("Noise protects persons, and this dataset cannot tell them apart.")
    if importlib.util.find_spec("opendp") is None:
        raise errors.NotValid("OpenDP is not installed here.", to_do="pip install 'fairnode[dp]'")
    check_profiles(case)
    wanted, left_out = split_barred(case)
    several = {c.name for c in case.columns if c.multiple}
    left_out += tuple((s.id, "A person may have several of its values.") for s in wanted if s.id in several)
    case = replace(case, specs=tuple(spec for spec in wanted if spec.id not in several))
    if not case.specs:
        raise errors.NotValid("No variable is left that counts with noise could tell of.")
    charge(node, dataset, epsilon)
    with job_folder(node.config.spool, "profile") as folder:
        make_view(case, folder / "companion.parquet")
        recount = recount_from_json(count_in(case, folder, case.specs)["recount"])
    if recount.universe < case.rules.count("universe.persons"):
        raise errors.NotValid(f"The dataset cannot have a profile. {case.rules.explain('universe')}")
    measured = replace(_noisy(case, recount, epsilon), left_out=left_out)
    _keep(case, measured)
    return measured


def charge(node: Node, dataset: Dataset, epsilon: str) -> Charge:
    """Take privacy loss off the dataset's budget, before it is spent. Raises `NotAllowed`, `NotValid`.

    What profiles cost and what studies cost is one account: the gate's rules bound both together.
    """
    loss = thousandths(epsilon)
    most = round(node.config.settings.twin_epsilon * 1000)
    bound = round(node.rules.number("privacy-loss.epsilon") * 1000)
    today = datetime.now(UTC).date().isoformat()
    row = Charge(f"{PROFILE}{secrets.token_hex(8)}", dataset.lineage, node.iri, today, loss, clock.now())

    def change(tx: Transaction) -> Charge:
        before = tx.find(Charge, {"lineage": dataset.lineage})
        spent = sum(one.epsilon for one in before if one.id.startswith(PROFILE))
        if spent + loss > most:
            raise errors.NotAllowed(
                f"Of the budget of {most / 1000:g} for profiles, {spent / 1000:g} is spent; {loss / 1000:g} more "
                "is too much.",
                to_do="The operator may raise twin_epsilon in node.toml; 0 permits no counts with noise.",
            )
        if sum(one.epsilon for one in before) + loss > bound:
            raise errors.NotAllowed(node.rules.explain("privacy-loss"))
        return tx.add(row)

    return commit(node.desk, change, Entry("profile.charged", row.id, "node", facts={"epsilon": row.epsilon}))


def thousandths(epsilon: str) -> int:
    """A privacy loss in thousandths, as it is charged. Raises `NotValid`."""
    try:
        loss = Decimal(epsilon) * 1000
    except InvalidOperation:
        loss = Decimal(0)
    if not loss.is_finite() or loss <= 0 or loss != int(loss):
        raise errors.NotValid("The privacy loss is a number above 0 in thousandths, such as 0.5.")
    return int(loss)


def _noisy(case: Case, recount: Recount, epsilon: str) -> Measured:
    """All counts and the size with noise; what then is small is not told. Each person is in one cell a table."""
    counts = [cell.n for table in recount.tables for cell in table.cells]
    job = {
        "values": [*counts, recount.universe],
        "sensitivity": len(recount.tables) + 1,
        "epsilon": thousandths(epsilon),
        "counts": True,
    }
    *noisy, size = run_child("noise", job, spool=case.node.config.spool, seconds=SECONDS)["values"]
    drawn = iter(noisy)
    tables = tuple(_table(case, table, [next(drawn) for _ in table.cells]) for table in recount.tables)
    verdict = Verdict(Outcome.RELEASED, case.rules.hash, tables)
    asking = case.asking
    memory = remember(
        recount, verdict, release=case.id, requester=asking.requester, nodes=asking.nodes, day=asking.day
    )
    profile = Profile(
        counted="person",
        records=round_size(max(0, size)),
        day=asking.day.isoformat(),
        rules=case.rules.hash,
        variables=tuple(variable_of(table) for table in tables),
        epsilon=epsilon,
    )
    return Measured(case.id, profile, (), (), (), (), memory)


def _table(case: Case, table: RecountedTable, noisy: Sequence[int]) -> PublicTable:
    """A table of the noisy counts alone; the true ones decide on nothing."""
    base = case.rules.count("rounding.base")
    cells = tuple(
        PublicCell(cell.key, Status.SHOWN, round_count(n, base))
        if n >= case.rules.k
        else PublicCell(cell.key, Status.HIDDEN)
        for cell, n in zip(table.cells, noisy, strict=True)
    )
    return replace(public_table(table, set(), case.rules), cells=cells, margins=())


def _waiting(node: Node, block: str) -> Path:
    """Where a drawn profile waits for its custodian."""
    return person_set_draft(node, "x").with_name(f"{block}.json")


def _keep(case: Case, measured: Measured) -> None:
    """Keep what was drawn: it was paid for."""
    assert measured.memory is not None, "counts with noise are always new"
    told = {
        "id": measured.id,
        "profile": profile_to_json(measured.profile),
        "memory": release_to_json(measured.memory),
    }
    path = _waiting(case.node, digest(block_of(case.dataset, measured)))
    path.touch(mode=0o600)
    path.write_text(json.dumps(told), encoding="utf-8")


def drawn(node: Node, block: str) -> Measured:
    """The profile with noise that was drawn under this hash. Raises `NotFound`."""
    path = _waiting(node, block)
    if not set(block) <= set("0123456789abcdef") or not path.exists():
        raise errors.NotFound("No profile with noise was drawn under this hash.")
    told: Mapping[str, object] = json.loads(path.read_text(encoding="utf-8"))
    profile, memory = profile_from_json(told["profile"]), release_from_json(told["memory"])  # type: ignore[arg-type]
    return Measured(str(told["id"]), profile, (), (), (), (), memory)
