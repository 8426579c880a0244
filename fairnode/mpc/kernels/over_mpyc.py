"""The `Exchange` over MPyC's own connections and keys.

MPyC's key for pseudorandom secret sharing of a subset of m - t parties is the key of the row that the
other t parties miss. Keys of pairs are drawn here, once, and sent over the same (TLS) connections.

Messages carry labels of their own, counted per pair of parties, instead of MPyC's program counter, so
kernels and MPyC's own protocols may run side by side on one connection. Long messages travel in frames:
asyncio moves 64 KiB pieces twice as fast as one large buffer.
"""

from __future__ import annotations

import secrets
import struct
from collections.abc import Collection, Mapping

from fairnode.errors import NotValid
from fairnode.mpc.kernels.exchange import Row, Runtime, Traffic, WrongMessage, holders

FRAME = 1 << 16
LARGEST = 1 << 31  # no kernel sends more in one message; a peer may not make us buffer more
_FIRST_LABEL = -(1 << 62)  # far from MPyC's small counters; its hashed ones meet ours once in 2^60
_LENGTH = struct.Struct("<Q")


class MpycExchange:
    """One party's `Exchange` inside a started MPyC runtime; made by `connect`."""

    def __init__(self, mpc: Runtime, pair_keys: Mapping[int, bytes]) -> None:
        self._mpc = mpc
        self._pair_keys = dict(pair_keys)
        self.party: int = mpc.pid
        self.parties: int = len(mpc.parties)
        self.threshold: int = mpc.threshold
        self.traffic = Traffic()
        self._uses = 0
        self._sent = dict.fromkeys(range(self.parties), _FIRST_LABEL)
        self._received = dict.fromkeys(range(self.parties), _FIRST_LABEL)

    def pair_key(self, peer: int) -> bytes:
        """See `Exchange.pair_key`."""
        return self._pair_keys[peer]

    def row_key(self, row: Row) -> bytes:
        """See `Exchange.row_key`."""
        return bytes(self._mpc._prss_keys[holders(row, self.parties)])

    def next_use(self) -> int:
        """See `Exchange.next_use`."""
        self._uses += 1
        return self._uses - 1

    async def exchange(self, out: Mapping[int, bytes], senders: Collection[int]) -> Mapping[int, bytes]:
        """See `Exchange.exchange`."""
        self.traffic.rounds += 1
        for peer, payload in out.items():
            self._send(peer, payload)
        return {peer: await self._receive(peer) for peer in senders}

    def _send(self, peer: int, payload: bytes) -> None:
        self.traffic.sent += len(payload)
        self.traffic.messages += 1
        connection = self._mpc.parties[peer].protocol
        view = memoryview(payload)
        first = _LENGTH.pack(len(payload)) + bytes(view[: FRAME - _LENGTH.size])
        connection.send(self._next(self._sent, peer), first)
        for start in range(FRAME - _LENGTH.size, len(payload), FRAME):
            connection.send(self._next(self._sent, peer), bytes(view[start : start + FRAME]))

    async def _receive(self, peer: int) -> bytes:
        first = await self._frame(peer)
        if len(first) < _LENGTH.size:
            raise WrongMessage(peer, "a message without a length")
        (length,) = _LENGTH.unpack_from(first)
        if length > LARGEST:
            raise WrongMessage(peer, f"word of a message of {length} bytes; that is too long")
        frames = [first[_LENGTH.size :]]
        for _ in range(FRAME - _LENGTH.size, length, FRAME):
            frames.append(await self._frame(peer))
        message = b"".join(frames)
        if len(message) != length:
            raise WrongMessage(peer, f"{len(message)} bytes after announcing {length}")
        return message

    async def _frame(self, peer: int) -> bytes:
        frame = self._mpc.parties[peer].protocol.receive(self._next(self._received, peer))
        return frame if isinstance(frame, bytes) else bytes(await frame)

    @staticmethod
    def _next(labels: dict[int, int], peer: int) -> int:
        labels[peer] += 1
        return labels[peer]


async def connect(mpc: Runtime) -> MpycExchange:
    """The kernels' exchange in a started runtime; call it once a run, at the same point at every party.

    The lower party of each pair draws their key. Raises `NotValid` if the runtime has no keys for
    pseudorandom secret sharing or nobody to compute with.
    """
    if mpc.options.no_prss or len(mpc.parties) < 3:
        raise NotValid("The kernels need at least three compute parties and MPyC's shared keys (PRSS).")
    me = mpc.pid
    others = [p for p in range(len(mpc.parties)) if p != me]
    mine = {p: secrets.token_bytes(16) for p in others if p > me}
    exchange = MpycExchange(mpc, {})
    theirs = await exchange.exchange(mine, [p for p in others if p < me])
    exchange._pair_keys.update({**mine, **theirs})
    return exchange
