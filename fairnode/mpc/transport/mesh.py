"""Brings one link to every other party into being: dial the higher numbers, be dialled by the lower ones."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fairnode.mpc.gateway import short_path
from fairnode.mpc.transport import preamble, tls
from fairnode.mpc.transport.link import Link, LinkTerms
from fairnode.mpc.transport.reason import Reason

RETRY_SECONDS = (0.02, 0.05, 0.1, 0.2, 0.4)
HANDSHAKE_SECONDS = 10.0
USER_TIMEOUT_MS = 10_000
"""Bytes unacknowledged for so long mean that the network was cut (RFC 5482)."""


@dataclass(frozen=True)
class Place:
    """Where a party's gateway listens, and the SHA-256 fingerprint of the party's certificate."""

    host: str
    port: int
    fingerprint: str


@dataclass(frozen=True)
class Identity:
    """Who this party is in this run: run id, number, and where its TLS certificate and key lie (PEM)."""

    run: str
    party: int
    certificate: Path
    key: Path


class Mesh:
    """The links of one party, by the number of the other party."""

    def __init__(self, me: Identity, places: tuple[Place, ...], terms: LinkTerms) -> None:
        self.links: dict[int, Link] = {}
        self._me = me
        self._places = places
        self._terms = terms
        self._certificate = tls.read_certificate(me.certificate)
        self._complete = asyncio.Event()

    async def connect(self, inbox: socket.socket) -> None:
        """Return when there is an authenticated link to every other party.

        `inbox` is the Unix socket of `listening`. A foreign party is told to `on_end`; nothing here gives
        up by itself when a party is late: the caller has the time limit, and `missing` the names.
        """
        others = [number for number in range(len(self._places)) if number != self._me.party]
        async with asyncio.TaskGroup() as group:
            incoming: set[asyncio.Task[None]] = set()
            incoming.add(group.create_task(self._accept(inbox, group, incoming)))
            dials = [group.create_task(self._dial(number)) for number in others if number > self._me.party]
            for dial in dials:
                await dial
            while any(number not in self.links for number in others):
                await self._complete.wait()
                self._complete.clear()
            for task in incoming:
                task.cancel()  # also handshakes that a stranger does not finish

    async def settle(self, without: int, seconds: float) -> None:
        """Wait a moment until all but party `without` can be told why the run ends."""
        until = asyncio.get_running_loop().time() + seconds
        while set(self.missing()) - {without} and asyncio.get_running_loop().time() < until:
            await asyncio.sleep(0.02)

    @property
    def rounds(self) -> int:
        """How often this party turned from hearing to sending."""
        return self._terms.turns.taken

    def missing(self) -> list[int]:
        """The parties to which there is no link yet."""
        return [n for n in range(len(self._places)) if n != self._me.party and n not in self.links]

    def _link(self, number: int) -> Link:
        expected = self._places[number].fingerprint
        return Link(number, len(self._places), expected, self._terms)

    async def _secure(
        self, number: int, connection: socket.socket, context: ssl.SSLContext, *, dial: bool
    ) -> None:
        """TLS over `connection`, then the link stands. Raises ConnectionError or SSLError when it cannot."""
        loop = asyncio.get_running_loop()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT_MS)
        link = self._link(number)
        if dial:
            await loop.create_connection(
                lambda: link,
                sock=connection,
                ssl=context,
                server_hostname="",
                ssl_handshake_timeout=HANDSHAKE_SECONDS,
            )
        else:
            await loop.connect_accepted_socket(
                lambda: link, connection, ssl=context, ssl_handshake_timeout=HANDSHAKE_SECONDS
            )
        await link.ready
        self.links[number] = link
        self._complete.set()

    async def _dial(self, number: int) -> None:
        """Try until the peer's gateway has handed the connection to its process and TLS stands."""
        context = tls.client_context(self._me.certificate, self._me.key)
        attempt = 0
        while True:
            connection = await self._reach(number)
            if connection is not None:
                try:
                    await self._secure(number, connection, context, dial=True)
                    return
                except (ssl.SSLEOFError, ConnectionError, TimeoutError):
                    connection.close()  # its process ended within the handshake: dial again
                except ssl.SSLError:
                    self._foreign(number, "does not speak TLS as agreed, or refuses this party's certificate")
                    return
            await asyncio.sleep(RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)])
            attempt += 1

    async def _reach(self, number: int) -> socket.socket | None:
        """A connection that the peer's gateway has handed to the process of this run, or None for now."""
        place = self._places[number]
        hello = preamble.Preamble(self._me.run, self._me.party, number, self._certificate)
        loop = asyncio.get_running_loop()
        connection: socket.socket | None = None
        try:
            family, kind, proto, _, address = (
                await loop.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
            )[0]
            connection = socket.socket(family, kind, proto)
            connection.setblocking(False)
            await loop.sock_connect(connection, address)
            await loop.sock_sendall(connection, preamble.encode(hello))
            answer = await loop.sock_recv(connection, 1)
            if answer == preamble.TAKEN:
                return connection
            if answer == preamble.OTHER_PROTOCOL:
                self._other_protocol(number)
        except OSError:
            pass  # not there yet: the time limit of the run decides when that is too late
        except asyncio.CancelledError:
            _close(connection)
            raise
        _close(connection)
        return None

    async def _accept(
        self, inbox: socket.socket, group: asyncio.TaskGroup, incoming: set[asyncio.Task[None]]
    ) -> None:
        """Take the connections that the gateway hands over, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            courier, _ = await loop.sock_accept(inbox)
            with courier:
                body, connection = await _receive_socket(courier)
            if connection is not None:
                incoming.add(group.create_task(self._admit(body, connection)))

    async def _admit(self, body: bytes, connection: socket.socket) -> None:
        try:
            said = preamble.parse(body)
        except ValueError:
            connection.close()
            return
        number = said.sender
        if said.run != self._me.run or said.receiver != self._me.party or not 0 <= number < self._me.party:
            connection.close()
            return
        if number in self.links:
            connection.close()  # the genuine party is here already
            return
        if tls.fingerprint(said.certificate) != self._places[number].fingerprint:
            connection.close()
            self._foreign(number, "came with a certificate that is not the one in the agreement")
            return
        if said.protocol != preamble.PROTOCOL:
            connection.close()
            self._other_protocol(number)
            return
        context = tls.server_context(self._me.certificate, self._me.key, said.certificate)
        try:
            await self._secure(number, connection, context, dial=False)
        except (ssl.SSLEOFError, ConnectionError, TimeoutError):
            connection.close()  # it dials again if it lives
        except ssl.SSLError:
            self._foreign(number, "cannot prove the key of its certificate")

    def _other_protocol(self, number: int) -> None:
        sentence = f"Party {number} speaks another version of the protocol between compute parties."
        self._terms.on_end(Reason("other-engine", number, sentence))

    def _foreign(self, number: int, what: str) -> None:
        self._terms.on_end(Reason("foreign", number, f"Party {number} {what}."))


def _close(connection: socket.socket | None) -> None:
    if connection is not None:
        connection.close()


def _wake(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


async def _receive_socket(courier: socket.socket) -> tuple[bytes, socket.socket | None]:
    """The preamble and the connection that the gateway sent over `courier`."""
    loop = asyncio.get_running_loop()
    courier.setblocking(False)
    ready = loop.create_future()
    loop.add_reader(courier.fileno(), _wake, ready)
    try:
        await ready
    finally:
        loop.remove_reader(courier.fileno())
    try:
        body, descriptors, _, _ = socket.recv_fds(courier, preamble.LIMIT, 4)
    except OSError:
        return b"", None
    for surplus in descriptors[1:]:
        os.close(surplus)
    if not descriptors:
        return b"", None
    connection = socket.socket(fileno=descriptors[0])
    connection.setblocking(False)
    return body, connection


@contextlib.contextmanager
def listening(folder: Path, run: str) -> Iterator[socket.socket]:
    """The Unix socket in `folder` through which the node's gateway hands over connections of `run`."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / run
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as inbox, short_path(folder) as place:
        inbox.setblocking(False)
        inbox.bind(f"{place}/{run}")
        inbox.listen(16)
        try:
            yield inbox
        finally:
            path.unlink(missing_ok=True)
