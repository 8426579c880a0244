"""Finding records of this node by words (search over the whole network is the step `discovery`)."""

from __future__ import annotations

from fairnode.metadata.record import Record
from fairnode.metadata.shelf import Shelf


def search(shelf: Shelf, query: str) -> list[Record]:
    """The published records that hold every word of `query`, by title."""
    words = query.casefold().split()
    return [record for record in shelf.records() if _holds(record, words)]


def _holds(record: Record, words: list[str]) -> bool:
    """Whether each word occurs in title, description, keywords or variables."""
    known = " ".join(f"{v.name} {v.label_en} {v.label_nl}" for v in record.public_variables)
    texts = [*record.titles.values(), *record.descriptions.values(), *record.keywords, known, record.iri]
    text = " ".join(texts).casefold()
    return all(word in text for word in words)
