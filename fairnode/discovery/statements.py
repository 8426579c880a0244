"""The statements of all records in one store on disk, for SPARQL: each record is a graph named by its IRI.

Used in child processes only. One process writes at a time; readers wait until it is done. The store is made
from the records, is brought up to date by the changes that the search index counted, and can be thrown away.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from pyoxigraph import NamedNode, Quad, Store

from fairnode import errors
from fairnode.discovery.place import KEPT, NOTE, STATEMENTS, locked
from fairnode.discovery.reading import quads
from fairnode.records.rows import Dataset, PeerRecord
from fairnode.store.database import Store as Database
from fairnode.store.search_index import SearchIndex

BATCH = 2_000


def bring_up_to_date(folder: Path, index: SearchIndex, database: Database) -> int:
    """Take in what changed since the last time; how many records were written anew."""
    with locked(folder, write=True):
        number = index.notes().get(NOTE, "")
        place = folder / STATEMENTS
        if not number and place.exists():
            shutil.rmtree(place)
        newest, changed = index.changed(int(number or 0))
        if not changed and number:
            return 0
        store = Store(place)
        batches = (changed[start : start + BATCH] for start in range(0, len(changed), BATCH))
        if number:
            for batch in batches:
                for iri in batch:
                    store.remove_graph(NamedNode(iri))
                store.bulk_extend(_statements(_records(database, batch)))
        else:
            # one load for all: its files are packed, those that several loads or optimize() merge are not
            records = (record for batch in batches for record in _records(database, batch))
            store.bulk_extend(_statements(records))
        store.flush()
        index.note(NOTE, str(newest))
        return len(changed)


def _records(database: Database, iris: list[str]) -> list[tuple[str, bytes]]:
    """The records of these IRIs, those that are there."""
    with database.read() as reader:
        wanted = {"id": tuple(iris), "state": KEPT}
        records = [(row.id, row.record) for row in reader.find(PeerRecord, wanted)]
        own = reader.find(Dataset, {"iri": tuple(iris), "state": "published"})
        return records + [(row.iri, row.record) for row in own]


def _statements(records: Iterable[tuple[str, bytes]]) -> Iterator[Quad]:
    """The statements of records; one that cannot be read any more is left out from where it breaks."""
    for iri, content in records:
        try:
            yield from quads(content, iri, NamedNode(iri))
        except errors.NotValid:
            continue
