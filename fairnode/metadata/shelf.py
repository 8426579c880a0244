"""The finished documents: RDF written once for each state of the records, then handed out as bytes.

What is on the shelf follows the ledger: as long as its head stands still nothing can have changed, and when
it moved, only documents whose records changed are made anew.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from fairnode import clock
from fairnode.keys import digest
from fairnode.metadata.documents.site import Site
from fairnode.metadata.keep import DatasetState, described
from fairnode.metadata.making import Document, State, maker_of
from fairnode.metadata.record import Record
from fairnode.node import Node
from fairnode.records.profile_rows import Twin
from fairnode.records.rows import Algorithm, Dataset, Head

MOST_BYTES = 8 * 1024 * 1024
MOST_RECORDS = 2_000
MOMENT = 0.2  # seconds that a change made by another process may take to be seen


@dataclass(eq=False)
class Shelf:
    """The documents of one node; one for each web process, its threads share it."""

    node: Node
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _state: State | None = None
    _until: float = 0.0
    _made: OrderedDict[tuple[str, str], Document] = field(default_factory=OrderedDict)
    _records: OrderedDict[tuple[str, str], Record] = field(default_factory=OrderedDict)

    def get(self, path: str) -> Document | None:
        """The document at `path` (as in "/dataset/cases"); None when there is none for the public."""
        state = self._now()
        found = maker_of(path)
        if found is None:
            return None
        maker, arguments = found
        key = (path, _stamp(state, path, arguments))
        with self._lock:
            if key in self._made:
                self._made.move_to_end(key)
                return self._made[key]
        made = maker(state, path, *arguments)
        if made is not None:
            self._keep(key, made)
        return made

    def forget(self) -> None:
        """Look again at once: this process changed a record."""
        self._until = 0.0

    def published(self) -> list[Dataset]:
        """The datasets that everybody may see, by title."""
        rows = self._now().rows.values()
        return sorted((r for r in rows if r.state == DatasetState.PUBLISHED), key=lambda r: (r.title, r.id))

    def records(self) -> list[Record]:
        """What the published records say, by title; each record is read once a version."""
        return [self._record(row) for row in self.published()]

    def twin(self, key: str) -> Twin | None:
        """The synthetic twin of a dataset, where one was drawn."""
        return self._now().twins.get(key)

    def _record(self, row: Dataset) -> Record:
        """What one record says."""
        key = (row.id, row.sha256)
        with self._lock:
            known = self._records.get(key)
        if known is None:
            known = described(row).record
            with self._lock:
                self._records[key] = known
                while len(self._records) > MOST_RECORDS:
                    self._records.popitem(last=False)
        return known

    def site(self) -> Site:
        """The node's settings and the first and last moment of its records."""
        return self._now().site

    def _now(self) -> State:
        """The present state; looked up again after a moment, read again only when the ledger moved."""
        if self._state is not None and time.monotonic() < self._until:
            return self._state
        state = self._read()
        self._until = time.monotonic() + MOMENT
        return state

    def _read(self) -> State:
        """The state as the database has it."""
        with self.node.store.read() as reader:
            head = reader.last(Head)
            number = head.id if head else 0
            known_before = self._state
            if known_before is not None and known_before.head == number:
                return known_before
            first = reader.get(Head, 1)
            rows = reader.find(Dataset, {"state": (DatasetState.PUBLISHED, DatasetState.WITHDRAWN)})
            known = {row.id: row for row in reader.find(Algorithm, {"state": "known"})}
            twins = {twin.id: twin for twin in reader.find(Twin)}
        made = first.at if first else clock.now()
        changed = max((row.changed for row in rows), default=made)
        told = ",".join(f"{row.id}:{row.version}:{row.state}:{row.changed}" for row in rows)
        drawn = ",".join(f"{twin.id}:{twin.basis}" for twin in twins.values())
        stamp = digest(f"{told};{','.join(known)};{drawn}".encode())[:16]
        if known_before is not None and known_before.stamp == stamp:
            state = replace(known_before, head=number)
        else:
            site = Site(self.node.config, made, changed, _email(rows))
            state = State(number, site, {row.id: row for row in rows}, known, stamp, twins)
        self._state = state
        return state

    def _keep(self, key: tuple[str, str], made: Document) -> None:
        """Put a document on the shelf and take the longest unused ones off."""
        with self._lock:
            for old in [k for k in self._made if k[0] == key[0]]:
                del self._made[old]
            self._made[key] = made
            while sum(d.size for d in self._made.values()) > MOST_BYTES and len(self._made) > 1:
                self._made.popitem(last=False)


def _stamp(state: State, path: str, arguments: tuple[str, ...]) -> str:
    """What a document depends on: its dataset alone, or all of them."""
    row = state.rows.get(arguments[0]) if arguments else None
    if row is not None and path.startswith(("/dataset/", "/distribution/")):
        twin = state.twins.get(row.id)
        drawn = twin.basis if twin else ""
        return f"{row.version}:{row.state}:{row.changed}:{state.site.email}:{drawn}"
    return state.stamp


def _email(rows: Sequence[Dataset]) -> str:
    """The address of the data desk: that of the first published record that gives one."""
    for row in sorted(rows, key=lambda row: row.id):
        email = described(row).record.contact.email if row.state == DatasetState.PUBLISHED else ""
        if email:
            return email
    return ""
