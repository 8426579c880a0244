"""Finds a dataset to try an algorithm on: one of this node, or any of the network that was harvested."""

from __future__ import annotations

from fairnode import errors
from fairnode.metadata.keep import dataset
from fairnode.node import Node
from fairnode.records.rows import PeerRecord
from fairnode.trial.trial import Published


def known_dataset(node: Node, key: str) -> Published:
    """The dataset with this id or IRI and its record. Raises `NotFound` with what to do."""
    try:
        own = dataset(node, key)
    except errors.NotFound:
        return _of_others(node, key)
    return Published(own.iri, own.record)


def _of_others(node: Node, iri: str) -> Published:
    """A dataset that another node publishes, as it was last harvested."""
    with node.store.read() as reader:
        found = reader.get(PeerRecord, iri)
    if found is None or found.state != "published":
        raise errors.NotFound(
            f"'{iri}' is neither a dataset of this node nor one of the network that was harvested.",
            to_do="See: fairnode dataset search; and to harvest anew: fairnode network harvest",
        )
    return Published(found.id, found.record)
