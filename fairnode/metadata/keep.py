"""Adding, changing and withdrawing records; versions are kept as received, each step has a ledger line."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from rdflib import Graph

from fairnode import clock, errors
from fairnode.keys import digest
from fairnode.ledger import Entry, commit
from fairnode.metadata.check import check_record
from fairnode.metadata.profiled import check_profile, split_profile
from fairnode.metadata.rdf import read_turtle
from fairnode.metadata.record import Record, read_record
from fairnode.node import Node
from fairnode.records.profile_rows import KeptProfile
from fairnode.records.rows import Dataset, DatasetVersion
from fairnode.store.database import Transaction


class DatasetState(StrEnum):
    """Who sees a dataset: its custodians only, everybody, or everybody as something that is gone."""

    DRAFT = "draft"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class Described:
    """A dataset with what its record says."""

    dataset: Dataset
    record: Record
    graph: Graph

    @property
    def profile(self) -> str:
        """Which profile the record keeps to: without bindings it is described, but cannot be visited."""
        return "dataset" if self.record.variables else "description"


def add_dataset(
    node: Node, turtle: bytes, source: Mapping[str, Any], actor: str, publish: bool = True
) -> Dataset:
    """Take in a new dataset: its record (Turtle as received) and where its data are (never published).

    `actor` is the opaque id of the custodian. Raises `NotValid` with findings, `Conflict` when there is (or
    was) a dataset with this IRI.
    """
    iri, graph = _checked(node, turtle)
    key, now = iri.rsplit("/", 1)[-1], clock.now()
    row = Dataset(
        id=key,
        iri=iri,
        title=read_record(graph, iri).title,
        record=turtle,
        sha256=digest(turtle),
        source=dict(source),
        version=1,
        state=DatasetState.PUBLISHED if publish else DatasetState.DRAFT,
        lineage=f"l-{secrets.token_hex(8)}",
        created=now,
        changed=now,
    )

    def change(tx: Transaction) -> Dataset:
        if tx.get(Dataset, key):
            raise errors.Conflict(
                f"This node has (or had) a dataset <{iri}>.", to_do="Change that one, or choose another name."
            )
        tx.add(_version(row))
        return tx.add(row)

    return commit(node.desk, change, Entry("dataset.added", key, actor, facts=_facts(row)))


def change_dataset(
    node: Node,
    key: str,
    actor: str,
    turtle: bytes | None = None,
    source: Mapping[str, Any] | None = None,
    publish: bool | None = None,
) -> Dataset:
    """Give a dataset another record (a new version), another source, or another state.

    A part that is None stays. Raises `NotFound`, `NotValid`, and `Conflict` for a withdrawn dataset or a
    record that describes another one.
    """
    before = dataset(node, key)
    _check_here(before)
    now, values = clock.now(), dict[str, Any]()
    if turtle is not None and digest(turtle) != before.sha256:
        iri, graph = _checked(node, turtle)
        if iri != before.iri:
            raise errors.Conflict(f"This record describes <{iri}>, not <{before.iri}>.")
        values |= {"record": turtle, "sha256": digest(turtle), "version": before.version + 1}
        values["title"] = read_record(graph, iri).title
    if source is not None:
        values["source"] = dict(source)
    if publish is not None:
        values["state"] = DatasetState.PUBLISHED if publish else DatasetState.DRAFT
    after = replace(before, **values, changed=now)

    def change(tx: Transaction) -> Dataset:
        present = tx.get(Dataset, before.id)
        if present != before:
            raise errors.Conflict("This dataset was changed by somebody else in the meantime.")
        if after.version != before.version:
            tx.add(_version(after))
        return tx.change(before, **values, changed=now)

    return commit(node.desk, change, Entry("dataset.changed", before.id, actor, facts=_facts(after)))


def withdraw_dataset(node: Node, key: str, actor: str) -> Dataset:
    """Take a dataset away for good: its IRI keeps saying that it was here, its source is forgotten."""
    before = dataset(node, key)
    _check_here(before)
    values = {"state": DatasetState.WITHDRAWN, "source": {}, "changed": clock.now()}
    return commit(
        node.desk,
        lambda tx: tx.change(before, **values),
        Entry("dataset.withdrawn", before.id, actor, facts={"version": before.version}),
    )


def _checked(node: Node, turtle: bytes) -> tuple[str, Graph]:
    """IRI and graph of a record; of its data it tells only what passed the gate. Raises `NotValid`."""
    iri, graph = check_record(node, turtle)
    block = split_profile(turtle)[1]
    with node.store.read() as reader:
        made = [kept for kept in reader.find(KeptProfile, {"dataset": iri}) if kept.block == block]
    check_profile(graph, block, kept=bool(made))
    return iri, graph


def _check_here(row: Dataset) -> None:
    """Raise `Conflict` for a dataset that is gone."""
    if row.state == DatasetState.WITHDRAWN:
        raise errors.Conflict("This dataset was withdrawn and does not come back.")


def _version(row: Dataset) -> DatasetVersion:
    """The kept copy of this version of the record."""
    return DatasetVersion(f"{row.id}/{row.version}", row.id, row.version, row.record, row.sha256, row.changed)


def _facts(row: Dataset) -> dict[str, Any]:
    """What the ledger says: which version, which bytes, seen by whom."""
    return {"version": row.version, "record": row.sha256, "state": str(row.state)}


def dataset(node: Node, key: str) -> Dataset:
    """The dataset with this id or IRI, in whatever state. Raises `NotFound`."""
    with node.store.read() as reader:
        found = reader.get(Dataset, key) or reader.one(Dataset, iri=key)
    if found is None:
        raise errors.NotFound("This node has no such dataset.")
    return found


def datasets(node: Node) -> list[Dataset]:
    """All datasets, drafts and withdrawn ones included: for this node's people only."""
    with node.store.read() as reader:
        return reader.find(Dataset)


def published(node: Node) -> list[Dataset]:
    """The datasets that everybody may see, by id."""
    with node.store.read() as reader:
        return reader.find(Dataset, {"state": DatasetState.PUBLISHED})


def described(row: Dataset) -> Described:
    """The dataset with its record read."""
    graph = read_turtle(row.record)
    return Described(row, read_record(graph, row.iri), graph)


def record(node: Node, key: str) -> Described:
    """The dataset with this id or IRI, with its record read. Raises `NotFound`."""
    return described(dataset(node, key))


def versions(node: Node, key: str) -> list[DatasetVersion]:
    """Every record that the dataset had, the newest first. Raises `NotFound`."""
    row = dataset(node, key)
    with node.store.read() as reader:
        return reader.find(DatasetVersion, {"dataset": row.id}, order="-version")
