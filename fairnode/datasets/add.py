"""Taking in a dataset: record and data are checked against each other before anything is written."""

from __future__ import annotations

import logging
from typing import Any

from fairnode import errors
from fairnode.child import run_child
from fairnode.datasets.bindings import read_dataset
from fairnode.datasets.description import describe
from fairnode.keys import digest
from fairnode.metadata.keep import add_dataset
from fairnode.node import Node
from fairnode.records.dataset import to_json
from fairnode.records.rows import Dataset, DatasetVersion, Person, Role

LOG = logging.getLogger(__name__)


def may_add(person: Person) -> bool:
    """Whether a person may add datasets."""
    return person.active and Role.CUSTODIAN in person.roles


def check_may_add(person: Person) -> None:
    """Raise `NotAllowed` unless `may_add`."""
    if not may_add(person):
        raise errors.NotAllowed("Only the custodian adds datasets.")


def check(node: Node, record: bytes, source: dict[str, Any]) -> dict[str, Any]:
    """Read the whole source as the record's bindings say; rows, and what a custodian should know.

    Raises `NotValid` with findings: a column that is missing, dates that are none, no rows, ...
    """
    try:
        turtle = record.decode()
    except UnicodeDecodeError as error:
        raise errors.NotValid("The record is not UTF-8 text.") from error
    dataset = read_dataset(turtle)
    describe(record, dataset.iri)
    return run_child(
        "check_source",
        {"dataset": to_json(dataset), "source": source},
        spool=node.config.spool,
        seconds=1800.0,
    )


def add(
    node: Node, person: Person, record: bytes, source: dict[str, Any], *, publish: bool = True
) -> Dataset:
    """Check record and data, then keep and publish (or draft) the dataset.

    With an empty `source` the dataset is published for its metadata alone: it can be found, not visited.
    Raises `NotAllowed` for who is no custodian, and what `check` and `metadata` raise.
    """
    check_may_add(person)
    if source:
        check(node, record, source)
    return add_dataset(node, record, source, person.id, publish)


def add_waiting(node: Node) -> int:
    """Publish the records (*.ttl) in the node's folder `records` that are not kept yet; how many there were.

    So a node can be run for its metadata alone, from files. What is wrong with a record is logged, and the
    others are taken in all the same.
    """
    added = 0
    for path in sorted((node.config.directory / "records").glob("*.ttl")):
        content = path.read_bytes()
        with node.store.read() as reader:
            if reader.one(DatasetVersion, sha256=digest(content)):
                continue
        try:
            add_dataset(node, content, {}, "operator", publish=True)
            added += 1
        except errors.FairnodeError as error:
            LOG.warning("the record %s was not taken in: %s", path.name, error)
    return added
