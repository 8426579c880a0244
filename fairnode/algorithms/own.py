"""The algorithms that are programs of the node itself: known at every node without being submitted (P1).

What stands in the place of an image's identity is a digest over manifest and program. A node with another
version of the program has another identity for it, and does not know the one that a study names.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fairnode import clock
from fairnode.algorithms.manifest import FILE, read_manifest
from fairnode.keys import digest
from fairnode.ledger.commit import Entry, commit
from fairnode.linkage import program as linkage
from fairnode.node import Node
from fairnode.records.algorithm import Manifest
from fairnode.records.rows import Algorithm
from fairnode.share import shared

AUTHOR = "node"
_COUNTING = ("jobs/view.py", "jobs/recount.py", "studies/regression.py", "studies/summary.py")
"""From the source to what is dealt: what `tabulate` counts by, and what the programs take of it."""


def _tabulate_digest() -> str:
    """SHA-256 (hex) over the source of everything that the node counts by."""
    package = Path(__file__).parents[1]
    return digest(b"".join(bytes.fromhex(digest((package / name).read_bytes())) for name in _COUNTING))


DIGESTS = {
    linkage.NAME: linkage.digest,
    "combined-regression": _tabulate_digest,
    "combined-summary": _tabulate_digest,
}


@dataclass(frozen=True)
class OwnProgram:
    """A program of the node: its manifest as bytes, and its identity."""

    manifest: bytes
    identity: str

    @property
    def told(self) -> Manifest:
        """What the manifest says."""
        return read_manifest(self.manifest)


@cache
def own_programs() -> dict[str, OwnProgram]:
    """The node's own programs by name."""
    found = {}
    for name, program_digest in DIGESTS.items():
        text = (shared("algorithms") / name / FILE).read_bytes()
        found[name] = OwnProgram(text, f"sha256:{digest(text + program_digest().encode())}")
    return found


def keep_own(node: Node) -> int:
    """See that the node knows its own programs as they are now, and no older version; how many are new."""
    with node.store.read() as reader:
        known = {row.image: row for row in reader.find(Algorithm, {"author": AUTHOR})}
    present = {own.identity for own in own_programs().values()}
    for row in known.values():
        if row.image not in present and row.state == "known":
            commit(
                node.desk,
                lambda tx, r=row: tx.change(r, state="replaced"),  # type: ignore[misc]
                Entry("algorithm.replaced", row.id, "node", facts={"identity": row.image}),
            )
    new = [own for own in own_programs().values() if own.identity not in known]
    for own in new:
        row = _row(own)
        facts = {"name": row.name, "version": row.version, "identity": row.image, "manifest": row.sha256}
        commit(
            node.desk,
            lambda tx, r=row: tx.add(r),  # type: ignore[misc]
            Entry("algorithm.own", row.id, "node", facts=facts),
        )
    return len(new)


def _row(own: OwnProgram) -> Algorithm:
    """The row of a program of the node."""
    told = own.told
    return Algorithm(
        id=own.identity.removeprefix("sha256:")[:20],
        name=told.name,
        version=told.version,
        title=told.title,
        manifest=own.manifest,
        sha256=digest(own.manifest),
        image=own.identity,
        author=AUTHOR,
        state="known",
        created=clock.now(),
    )
