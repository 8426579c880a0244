"""The FAIR Data Points outside the network that this node harvests, and the indexes that it tells of itself."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fairnode import clock, errors
from fairnode.child import run_child
from fairnode.discovery.harvest import Taken, Told, take_in
from fairnode.keys import digest
from fairnode.network.joined import current
from fairnode.node import Node
from fairnode.peers.harvester import LIMITS, Limits, below, check_allowed, origin, ping
from fairnode.records.rows import Peer

MARK = "harvest:"
_PINGED = "pinged:"
_AS = " as "
_PING_SECONDS = 7 * 86400


@dataclass(frozen=True)
class Source:
    """A FAIR Data Point that is harvested: its address, the persistent prefix of its IRIs if it has one.

    `seen` is when it was last read whole or in part, `trouble` what was wrong then.
    """

    url: str
    prefix: str
    datasets: int
    seen: str
    trouble: str

    @property
    def prefixes(self) -> tuple[str, ...]:
        """What its IRIs may begin with."""
        return (f"{self.url}/", *([self.prefix] if self.prefix else []))


def _key(url: str, prefix: str) -> str:
    """Under which id a source is kept, among the peers that this node knows of."""
    return f"{MARK}{url}{_AS if prefix else ''}{prefix}"


def _source(row: Peer) -> Source:
    """The source of such a row."""
    url, _, prefix = row.id.removeprefix(MARK).partition(_AS)
    return Source(url, prefix, row.cursor, row.seen, row.trouble)


def sources(node: Node) -> list[Source]:
    """The points that are harvested, by address."""
    with node.store.read() as reader:
        return [_source(row) for row in reader.find(Peer) if row.id.startswith(MARK)]


def add_source(node: Node, url: str, prefix: str = "") -> Source:
    """Harvest the FAIR Data Point at `url` from now on.

    Raises `NotAllowed` for an address that node.toml does not allow, or that is this node's or a member's
    (members are harvested through their mailboxes), `Conflict` when it is harvested already.
    """
    url = url.rstrip("/")
    origin(url)
    check_allowed(url, node.config.harvest.allow)
    _check_own(node, url, prefix)
    if any(source.url == url for source in sources(node)):
        raise errors.Conflict("This FAIR Data Point is harvested already.")
    row = Peer(_key(url, prefix), 0, "", "")
    with node.store.write() as tx:
        tx.add(row)
    return _source(row)


def _check_own(node: Node, url: str, prefix: str) -> None:
    """Raise `NotAllowed` when somebody could speak for this node or a member of the network."""
    agreement = current(node)
    for known in [node.iri, *(m.node for m in agreement.members)] if agreement else [node.iri]:
        if below(url, known) or (prefix and f"{known}/".startswith(prefix)) or prefix.startswith(known):
            raise errors.NotAllowed(f"<{known}> belongs to this network and is not harvested from outside.")
    if prefix and not (prefix.startswith(("http://", "https://")) and prefix.endswith(("/", "#", ":"))):
        raise errors.NotValid("A prefix is the beginning of IRIs: http(s)://.../ with a slash at its end.")


def remove_source(node: Node, url: str) -> int:
    """Harvest it no more, and forget its datasets; how many they were. Raises `NotFound`."""
    source = _known(node, url)
    taken = take_in(node, source.url, [], source.prefixes)
    _copies(node, source).unlink(missing_ok=True)
    with node.store.write() as tx:
        row = tx.get(Peer, _key(source.url, source.prefix))
        if row is not None:
            tx.remove(row)
    return taken.gone


def _known(node: Node, url: str) -> Source:
    """The source of that address."""
    for source in sources(node):
        if source.url == url.rstrip("/"):
            return source
    raise errors.NotFound(f"<{url[:200]}> is not harvested here.", to_do="See: fairnode harvest list")


def run_source(node: Node, source: Source, limits: Limits = LIMITS) -> Taken:
    """Harvest one source now, in a child process; what cannot be read or believed is among the refusals.

    Raises `NotAllowed` when node.toml does not allow it any more, `Unavailable` or `NotValid` when it cannot
    be read at all; its records then stay as they were.
    """
    try:
        check_allowed(source.url, node.config.harvest.allow)
        told = _fetch(node, source, limits)
    except errors.FairnodeError as error:
        _note(node, source, source.datasets, error.what)
        raise
    documents = [Told(d["iri"], base64.b64decode(d["content"]), d["part"]) for d in told["documents"]]
    taken = take_in(node, source.url, documents, source.prefixes, complete=told["complete"])
    refused = [errors.Finding(where, why) for where, why in told["refused"]]
    trouble = f"{len(refused) + len(taken.refused)} refused" if refused or taken.refused else ""
    _note(node, source, taken.kept, trouble)
    return Taken(taken.kept, taken.changed, taken.gone, (*refused, *taken.refused), told["unchanged"])


def _fetch(node: Node, source: Source, limits: Limits) -> Mapping[str, Any]:
    """What the child that walks through the source brings home."""
    job = {
        "url": source.url,
        "prefixes": list(source.prefixes),
        "private": list(node.config.harvest.private),
        "limits": asdict(limits),
        "copies": str(_copies(node, source)),
    }
    return run_child("harvest", job, spool=node.config.spool, seconds=limits.seconds_all + 30)


def _copies(node: Node, source: Source) -> Path:
    """The file of what was fetched from a source before."""
    return node.config.index / "fetched" / f"{digest(source.url.encode())[:32]}.db"


def _note(node: Node, source: Source, datasets: int, trouble: str) -> None:
    """Write down how a harvest went."""
    with node.store.write() as tx:
        row = tx.get(Peer, _key(source.url, source.prefix))
        if row is not None:
            tx.change(row, cursor=datasets, seen=clock.now(), trouble=trouble[:500])


def take_ping(node: Node, url: str) -> None:
    """A FAIR Data Point told that it is there: it is harvested from now on, next of all.

    Raises `NotAllowed` unless node.toml welcomes pings from its address and allows to call it.
    """
    url = url.rstrip("/")
    if not any(below(url, prefix) for prefix in node.config.harvest.welcome):
        raise errors.NotAllowed("Pings from this address are not taken here.")
    if all(source.url != url for source in sources(node)):
        add_source(node, url)
    key = f"{_PINGED}{url}"
    with node.store.write() as tx:
        known = tx.get(Peer, key)
        tx.change(known, seen=clock.now()) if known else tx.add(Peer(key, 0, clock.now(), ""))


def due(node: Node) -> list[Source]:
    """The points that told of themselves since they were harvested, and those that never were."""
    with node.store.read() as reader:
        told = {
            row.id.removeprefix(_PINGED): row.seen for row in reader.find(Peer) if row.id.startswith(_PINGED)
        }
    return [source for source in sources(node) if not source.seen or told.get(source.url, "") > source.seen]


def tell_indexes(node: Node) -> list[str]:
    """Tell the indexes in node.toml that this node is there, each once in seven days; those told now.

    Raises `Unavailable` when one does not take it.
    """
    told = []
    for index in node.config.harvest.ping:
        key = f"ping:{index}"
        with node.store.read() as reader:
            row = reader.get(Peer, key)
        if row is not None and clock.later(-_PING_SECONDS) < row.seen:
            continue
        ping(index, node.iri, node.config.harvest.private)
        with node.store.write() as tx:
            known = tx.get(Peer, key)
            tx.change(known, seen=clock.now()) if known else tx.add(Peer(key, 0, clock.now(), ""))
        told.append(index)
    return told
