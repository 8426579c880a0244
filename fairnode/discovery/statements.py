"""The statements of all records in one store on disk, for SPARQL: each record is a graph named by its IRI.

Used in child processes only. One process writes at a time; readers wait until it is done. The store is made
from the records, is brought up to date by the changes that the search index counted, and can be thrown away.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
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
        for start in range(0, len(changed), BATCH):
            _take_in(store, database, changed[start : start + BATCH], fresh=not number)
        if not number:
            store.optimize()
        store.flush()
        index.note(NOTE, str(newest))
        return len(changed)


def _take_in(store: Store, database: Database, changed: list[str], *, fresh: bool) -> None:
    """Write the records of these IRIs anew; those that are gone are only removed."""
    with database.read() as reader:
        wanted = {"id": tuple(changed), "state": KEPT}
        records = [(row.id, row.record) for row in reader.find(PeerRecord, wanted)]
        own = reader.find(Dataset, {"iri": tuple(changed), "state": "published"})
        records += [(row.iri, row.record) for row in own]
    if not fresh:
        for iri in changed:
            store.remove_graph(NamedNode(iri))
    store.bulk_extend(_statements(records))


def _statements(records: list[tuple[str, bytes]]) -> Iterator[Quad]:
    """The statements of records; one that cannot be read any more is left out from where it breaks."""
    for iri, content in records:
        try:
            yield from quads(content, iri, NamedNode(iri))
        except errors.NotValid:
            continue
