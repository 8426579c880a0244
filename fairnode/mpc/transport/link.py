"""The connection to one peer: frames in, frames out, every length bounded before it is believed.

A frame is 13 bytes of header (kind, program counter, length) and a payload. `Link` has the methods that
MPyC asks of a connection (`send`, `receive`, `nbytes_sent`, `close_connection`), so MPyC works on sockets
that were opened, authenticated and agreed upon before it was started.
"""

from __future__ import annotations

import asyncio
import ssl
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO

from fairnode.mpc.transport.reason import Reason, parse_reason
from fairnode.mpc.transport.tls import fingerprint

HEADER = struct.Struct("<cqI")
HELLO, KEYS, DATA, PING, END, DONE = b"H", b"K", b"D", b"P", b"E", b"F"
CONTROL_LIMIT = 65536
"""Most bytes of any frame that is not data."""


@dataclass(frozen=True)
class Limits:
    """Bytes that a peer may make this party hold: in one message, and in messages not yet asked for."""

    message: int = 64 << 20
    waiting: int = 512 << 20


@dataclass
class Turns:
    """How often a party turned from hearing to sending, over all its links: its rounds."""

    taken: int = 0
    heard: bool = False


@dataclass(frozen=True)
class LinkTerms:
    """What every link of a run is made with; `on_end` is told of the first thing that ends a link.

    `transcript`, for demo data only, takes every payload received.
    """

    on_end: Callable[[Reason], None]
    limits: Limits
    transcript: IO[str] | None = None
    turns: Turns = field(default_factory=Turns)


class PeerBytes(bytes):
    """A payload that remembers its sender and step, so that what is wrong with it can be said of them."""

    peer: int
    counter: int


class Link(asyncio.Protocol):
    """Frames to and from party `peer`, whose certificate must have fingerprint `expected`.

    `terms.on_end(reason)` is called once, when the connection can no longer serve the run. `ready` is done
    when the peer's certificate was compared.
    """

    def __init__(self, peer: int, parties: int, expected: str, terms: LinkTerms) -> None:
        self.peer_pid = peer
        self.nbytes_sent = 0
        self.nbytes_received = 0
        self.messages_sent = 0
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.control: dict[bytes, asyncio.Future[bytes]] = {
            kind: asyncio.get_running_loop().create_future() for kind in (HELLO, KEYS, DONE)
        }
        self.last_heard = asyncio.get_running_loop().time()
        self.buffers: dict[int, bytes | asyncio.Future[bytes]] = {}
        self.gone = asyncio.Event()
        self._parties = parties
        self._expected = expected
        self._on_end = terms.on_end
        self._limits = terms.limits
        self._transcript = terms.transcript
        self._turns = terms.turns
        self._bytes = bytearray()
        self._waiting = 0
        self._over = False
        self._transport: asyncio.Transport | None = None

    # ---- what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """TLS is up: compare the certificate before anything is sent or read."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        certificate = transport.get_extra_info("ssl_object").getpeercert(binary_form=True)
        if certificate is None or fingerprint(certificate) != self._expected:
            self._end("foreign", "answers with a certificate that is not the one in the agreement")
            transport.abort()
            return
        self.ready.set_result(None)

    def data_received(self, data: bytes) -> None:
        """Take the frames that are complete; refuse a length before its bytes are held."""
        self.last_heard = asyncio.get_running_loop().time()
        self.nbytes_received += len(data)
        buffer = self._bytes
        buffer.extend(data)
        start = 0
        while not self._over and len(buffer) - start >= HEADER.size:
            kind, counter, length = HEADER.unpack_from(buffer, start)
            if not self._acceptable(kind, length):
                return
            end = start + HEADER.size + length
            if len(buffer) < end:
                break
            with memoryview(buffer) as view:
                payload = PeerBytes(view[start + HEADER.size : end])
            self._take(kind, counter, payload)
            start = end
        del buffer[:start]

    def connection_lost(self, error: Exception | None) -> None:
        """The other side is gone: the end of the run, unless it had said that it was done."""
        self.gone.set()
        if not self.ready.done():
            self.ready.set_exception(ConnectionResetError("ended before the certificate was compared"))
        if self.control[DONE].done():
            return
        if isinstance(error, ssl.SSLError) and not self.control[HELLO].done():
            self._end("foreign", "refuses this party's certificate")
        else:
            self._end("lost", "is gone: its connection ended before the run was complete")

    # ---- what MPyC calls

    def send(self, pc: int, payload: bytes) -> None:
        """Send one message labelled with program counter `pc`."""
        if self._turns.heard:
            self._turns.heard = False
            self._turns.taken += 1
        self._write(DATA, pc, payload)

    def receive(self, pc: int) -> bytes | asyncio.Future[bytes]:
        """The message with program counter `pc`: its bytes if it is here, else a future of them."""
        payload = self.buffers.pop(pc, None)
        if isinstance(payload, bytes):
            self._waiting -= len(payload)
            return payload
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.buffers[pc] = future
        return future

    def close_connection(self) -> None:
        """Send what is still to be sent, then close."""
        self._over = True
        if self._transport is not None:
            self._transport.close()

    # ---- what the run calls

    def send_control(self, kind: bytes, payload: bytes) -> None:
        """Send a frame that is not data."""
        self._write(kind, 0, payload)

    @property
    def awaited(self) -> bool:
        """Whether this party is waiting for a message of the peer."""
        pending = any(
            isinstance(value, asyncio.Future) and not value.done() for value in self.buffers.values()
        )
        return pending or any(not future.done() for future in self.control.values())

    def _write(self, kind: bytes, counter: int, payload: bytes) -> None:
        if self._over or self._transport is None or self._transport.is_closing():
            return
        self._transport.writelines([HEADER.pack(kind, counter, len(payload)), payload])
        self.nbytes_sent += HEADER.size + len(payload)
        self.messages_sent += 1

    def _acceptable(self, kind: bytes, length: int) -> bool:
        if kind == DATA:
            if length <= self._limits.message and self._waiting + length <= self._limits.waiting:
                return True
            self._end("oversized", f"sent a message of {length} bytes, more than this run takes")
        elif kind not in (HELLO, KEYS, DONE, PING, END):
            self._end("garbage", "sent bytes that are no message of this protocol")
        elif length <= CONTROL_LIMIT:
            return True
        else:
            self._end("oversized", f"sent a control message of {length} bytes")
        if self._transport is not None:
            self._transport.abort()
        return False

    def _take(self, kind: bytes, counter: int, payload: PeerBytes) -> None:
        if self._transcript is not None and kind != PING:
            self._transcript.write(f"{self.peer_pid} {kind.decode()} {counter} {payload.hex()}\n")
        if kind == DATA:
            self._take_data(counter, payload)
        elif kind == END:
            self._finish(parse_reason(payload, self.peer_pid, self._parties))
        elif kind in self.control:
            self._take_control(kind, payload)

    def _take_control(self, kind: bytes, payload: bytes) -> None:
        if self.control[kind].done():
            self._end("garbage", "sent the same control message twice")
        else:
            self.control[kind].set_result(payload)

    def _take_data(self, counter: int, message: PeerBytes) -> None:
        self._turns.heard = True
        message.peer, message.counter = self.peer_pid, counter
        waiting = self.buffers.pop(counter, None)
        if waiting is None:
            self.buffers[counter] = message
            self._waiting += len(message)
        elif isinstance(waiting, bytes):
            self._end("garbage", "sent two messages for the same step")
        elif not waiting.done():
            waiting.set_result(message)

    def _end(self, code: str, what: str) -> None:
        self._finish(Reason(code, self.peer_pid, f"Party {self.peer_pid} {what}."))

    def _finish(self, reason: Reason) -> None:
        if not self._over:
            self._over = True
            self._on_end(reason)
