"""Several parties in one process: every message is real bytes, passed through queues.

For tests and for trying a program on a twin; it protects nothing, as one process sees all shares.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import TypeVar

import numpy as np

from fairnode.mpc.kernels.exchange import Row, Traffic, rows_of
from fairnode.mpc.kernels.streams import Words

T = TypeVar("T")


@dataclass(frozen=True)
class Message:
    """One message of a transcript: who sent it, to whom, and its bytes."""

    sender: int
    receiver: int
    payload: bytes


@dataclass
class Network:
    """The room in which local parties meet: keys, queues and the transcript of all messages."""

    parties: int
    threshold: int
    transcript: list[Message] = field(default_factory=list)

    def __post_init__(self) -> None:
        everyone = range(self.parties)
        self.pair_keys = {pair: secrets.token_bytes(16) for pair in combinations(everyone, 2)}
        self.row_keys = {row: secrets.token_bytes(16) for row in rows_of(self.parties, self.threshold)}
        self.queues: dict[tuple[int, int], asyncio.Queue[bytes]] = {
            (a, b): asyncio.Queue() for a in everyone for b in everyone if a != b
        }


class LocalExchange:
    """The `Exchange` of one party of a `Network`."""

    def __init__(self, network: Network, party: int) -> None:
        self._network = network
        self.party = party
        self.parties = network.parties
        self.threshold = network.threshold
        self.traffic = Traffic()
        self._uses = 0

    def pair_key(self, peer: int) -> bytes:
        """See `Exchange.pair_key`."""
        return self._network.pair_keys[min(self.party, peer), max(self.party, peer)]

    def row_key(self, row: Row) -> bytes:
        """See `Exchange.row_key`."""
        assert self.party not in row, "this party does not hold that row"
        return self._network.row_keys[row]

    def next_use(self) -> int:
        """See `Exchange.next_use`."""
        self._uses += 1
        return self._uses - 1

    async def exchange(self, out: Mapping[int, bytes], senders: Collection[int]) -> Mapping[int, bytes]:
        """See `Exchange.exchange`."""
        self.traffic.rounds += 1
        for peer, payload in out.items():
            self.traffic.sent += len(payload)
            self.traffic.messages += 1
            self._network.transcript.append(Message(self.party, peer, payload))
            self._network.queues[self.party, peer].put_nowait(payload)
        return {peer: await self._network.queues[peer, self.party].get() for peer in senders}


def split(words: Words, parties: int, threshold: int) -> dict[Row, Words]:
    """Fresh rows of `words`, as input parties deal them: all but the last are random, it makes the XOR right."""
    names = rows_of(parties, threshold)
    rows = {name: np.frombuffer(os.urandom(8 * len(words)), np.uint64) for name in names[:-1]}
    last = words.copy()
    for row in rows.values():
        last ^= row
    return {**rows, names[-1]: last}


def run_locally(network: Network, program: Callable[[LocalExchange], Awaitable[T]]) -> list[T]:
    """Run `program` once for each party of `network`, all at the same time; results in party order."""

    async def everyone() -> list[T]:
        exchanges = [LocalExchange(network, party) for party in range(network.parties)]
        return list(await asyncio.gather(*(program(exchange) for exchange in exchanges)))

    return asyncio.run(everyone())
