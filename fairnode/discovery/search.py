"""Searching own and harvested datasets: by words, by variables, by years, by organisation."""

from __future__ import annotations

from dataclasses import dataclass

from fairnode import vocabulary
from fairnode.datasets.description import Description, describe
from fairnode.datasets.views import offered
from fairnode.node import Node
from fairnode.records.rows import Dataset, PeerRecord


@dataclass(frozen=True)
class Wanted:
    """What a dataset must have: every word somewhere, every variable, at least one of the years."""

    words: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    years: tuple[int, ...] = ()
    organisation: str = ""


@dataclass(frozen=True)
class Found:
    """A dataset that fits. `node` is the IRI of the node that publishes it."""

    iri: str
    node: str
    title: str
    organisation: str
    unit: str
    regime: str
    variables: tuple[str, ...]
    years: tuple[int, int]


def search(node: Node, wanted: Wanted) -> list[Found]:
    """The published datasets of the whole network, as far as harvested, that fit; by title.

    Raises `NotFound` for a variable that the ontology has not.
    """
    for name in wanted.variables:
        vocabulary.variable(name)
    with node.store.read() as reader:
        own = [(d.iri, node.iri, d.record) for d in reader.find(Dataset, {"state": "published"})]
        others = [(r.id, r.node, r.record) for r in reader.find(PeerRecord, {"state": "published"})]
    seen = {iri: (where, describe(record, iri)) for iri, where, record in (*others, *own)}
    found = [_found(iri, where, told) for iri, (where, told) in seen.items()]
    return sorted((f for f in found if _fits(f, wanted)), key=lambda f: (f.title, f.iri))


def _found(iri: str, where: str, told: Description) -> Found:
    """A dataset in the words of a search."""
    dataset = told.dataset
    return Found(
        iri=iri,
        node=where,
        title=dataset.title,
        organisation=dataset.reporting,
        unit=dataset.unit,
        regime=dataset.regime,
        variables=offered(dataset),
        years=dataset.years,
    )


def _fits(found: Found, wanted: Wanted) -> bool:
    """Whether a dataset has all that is wanted."""
    text = f"{found.title} {found.organisation} {found.iri}".lower()
    first, last = found.years
    return (
        all(word.lower() in text for word in wanted.words)
        and set(wanted.variables) <= set(found.variables)
        and (not wanted.years or any(first <= year <= last for year in wanted.years))
        and wanted.organisation in ("", found.organisation)
    )
