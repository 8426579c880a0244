"""The counts of nodes on this machine whose datasets are synthetic, for a rehearsal: of others there is none."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fairnode import errors
from fairnode.child import run_child
from fairnode.datasets.description import describe
from fairnode.datasets.views import check_view, schema
from fairnode.gate.recounts import recount_from_json
from fairnode.node import open_node
from fairnode.records.dataset import View, to_json
from fairnode.records.result import Dimension, Kind, OutputContract, TableSpec, Unit
from fairnode.records.result_json import contract_to_json
from fairnode.records.rows import Dataset


@dataclass(frozen=True)
class Counted:
    """Registrations of one node by the codes of one variable."""

    organisation: str
    codes: tuple[str, ...]
    counts: tuple[int, ...]


def counted(folders: Sequence[Path], variable: str) -> list[Counted]:
    """What the nodes in these folders count of their datasets.

    Raises `NotAllowed` unless every dataset is flagged synthetic, before any of them is read; `NotValid` for a
    variable that one of them has not, or codes that differ.
    """
    for folder in folders:
        _check_synthetic(folder)
    found = [_count(folder, variable) for folder in folders]
    if len({one.codes for one in found}) > 1:
        raise errors.NotValid(f"These datasets have different codes of '{variable}'.")
    return found


def _check_synthetic(folder: Path) -> None:
    """Raise `NotAllowed` unless every dataset that the node publishes is flagged synthetic."""
    node = open_node(folder)
    try:
        with node.store.read() as reader:
            datasets = reader.find(Dataset, {"state": "published"})
    finally:
        node.close()
    real = [row.title for row in datasets if not describe(row.record, row.iri).dataset.synthetic]
    if real or not datasets:
        raise errors.NotAllowed(
            f"A transcript is made of synthetic data only, and '{(real or [folder.name])[0]}' is not flagged so.",
            to_do="Leave --of out: made-up counts show the same.",
        )


def _count(folder: Path, variable: str) -> Counted:
    """One node's registrations by the codes of the variable, counted as for a study: view, then recount."""
    node = open_node(folder)
    try:
        with node.store.read() as reader:
            row = reader.find(Dataset, {"state": "published"}, order="created")[0]
        description = describe(row.record, row.iri)
        view = View((variable,), (), "registration", description.consent_required)
        check_view(description.dataset, view)
        (column,) = schema(description.dataset, view)
        spec = TableSpec("t", Kind.COUNT, Unit.REGISTRATION, "records", (Dimension(variable, column.codes),))
        with tempfile.TemporaryDirectory(dir=node.config.spool) as place:
            path = str(Path(place, "view.parquet"))
            job = {"dataset": to_json(description.dataset), "source": row.source, "view": to_json(view)}
            run_child("view", job | {"output": path}, spool=node.config.spool, seconds=600.0)
            told = {"views": {"records": path}, "contract": contract_to_json(OutputContract((spec,)))}
            made = run_child("recount", told, spool=node.config.spool, seconds=600.0)
        cells = recount_from_json(made["recount"]).tables[0].cells
        return Counted(node.config.organisation.name, column.codes, tuple(cell.n for cell in cells))
    finally:
        node.close()
