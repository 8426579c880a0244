"""The files of a dataset's twin: drawn when the record's columns or profile changed, kept for everybody."""

from __future__ import annotations

import logging
from pathlib import Path

from fairnode import clock, errors
from fairnode.child import run_child
from fairnode.datasets.description import describe
from fairnode.datasets.twins import Recipe, recipe
from fairnode.ledger.commit import Entry, commit
from fairnode.metadata.keep import published
from fairnode.metadata.twin_files import twin_file
from fairnode.node import Node
from fairnode.records.profile_rows import Twin
from fairnode.records.rows import Dataset
from fairnode.store.database import Transaction
from fairnode.studies.processing import kept_until

FORMS = ("csv", "parquet")
LOG = logging.getLogger(__name__)
SECONDS = 600.0


def due(node: Node) -> list[Dataset]:
    """The datasets that can be visited whose twin is not drawn, or was drawn from another record."""
    with node.store.read() as reader:
        drawn = {twin.id: twin for twin in reader.find(Twin)}
    found = []
    for row in (row for row in published(node) if row.source and not _is_over(row, clock.now())):
        made_of = _recipe(row)
        if made_of is not None and (row.id not in drawn or drawn[row.id].basis != made_of.basis):
            found.append(row)
    return found


def draw_due(node: Node) -> None:
    """Draw all twins that are due; one that cannot be drawn is logged, and the others are drawn all the same."""
    for row in due(node):
        try:
            draw(node, row)
        except errors.FairnodeError as error:
            LOG.warning("the twin of %s was not drawn: %s %s", row.id, error.what, error.internal)


def _is_over(row: Dataset, now: str) -> bool:
    """Whether the policy lets the twin of this version of a record be kept no longer at that moment."""
    until = kept_until(describe(row.record, row.iri).terms, row.changed)
    return bool(until) and until <= now


def delete_over(node: Node, now: str) -> int:
    """Delete twins of datasets that were withdrawn, or whose policy lets them be kept no longer `now`; how many.

    A new version of the record has a twin again, if its policy lets it.
    """
    with node.store.read() as reader:
        kept = [(twin, reader.get(Dataset, twin.id)) for twin in reader.find(Twin)]
    over = [twin for twin, row in kept if row is None or row.state == "withdrawn" or _is_over(row, now)]
    for twin in over:
        for form in FORMS:
            twin_file(node, twin, form).unlink(missing_ok=True)
        commit(node.desk, lambda tx, t=twin: tx.remove(t), Entry("twin.deleted", twin.id, "node"))  # type: ignore[misc]
    return len(over)


def _recipe(row: Dataset) -> Recipe | None:
    """What a dataset's twin is made of; None for one that is described only."""
    try:
        return recipe(describe(row.record, row.iri))
    except errors.NotValid:
        return None


def draw(node: Node, row: Dataset) -> Twin:
    """Draw the twin of a dataset and keep its files; the one there is, if it is of this record already.

    Raises `NotValid` for a dataset that nothing can be asked of, `NotAllowed` where its policy's time is over.
    """
    if _is_over(row, clock.now()):
        raise errors.NotAllowed(
            "The dataset's policy lets its twin be kept no longer.",
            to_do="Publish a new version of the record.",
        )
    made_of = _recipe(row)
    if made_of is None:
        raise errors.NotValid("This dataset binds no column to a variable, so it has no twin.")
    with node.store.read() as reader:
        before = reader.get(Twin, row.id)
    if before is not None and before.basis == made_of.basis and twin_file(node, before, "csv").exists():
        return before
    folder = node.config.directory / "twins"
    folder.mkdir(mode=0o700, exist_ok=True)
    stem = f"{row.id}-{made_of.basis[:16]}"
    job = {
        **made_of.job(),
        "output": str(folder / f"{stem}.parquet"),
        "csv": str(folder / f"{stem}.csv"),
    }
    made = run_child("twin", job, spool=node.config.spool, seconds=SECONDS)
    profiled = made_of.profile is not None
    twin = Twin(row.id, made_of.basis, int(made["rows"]), profiled, made["files"], clock.now())
    _commit(node, before, twin)
    _tidy(folder, row.id, stem)
    return twin


def _commit(node: Node, before: Twin | None, twin: Twin) -> None:
    """Keep what was drawn."""

    def change(tx: Transaction) -> Twin:
        if before is None:
            return tx.add(twin)
        return tx.change(before, **{k: v for k, v in vars(twin).items() if k != "id"})

    facts = {"basis": twin.basis, "rows": twin.rows, "profiled": twin.profiled}
    commit(node.desk, change, Entry("twin.drawn", twin.id, "node", facts=facts))


def _tidy(folder: Path, key: str, stem: str) -> None:
    """Remove the files of earlier twins of the dataset."""
    for path in folder.glob(f"{key}-{'[0-9a-f]' * 16}.*"):
        if path.stem != stem:
            path.unlink(missing_ok=True)
