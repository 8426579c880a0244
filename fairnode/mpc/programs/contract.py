"""What a program of the engine promises: the parts a node, a compute party and a recipient need."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path
from typing import Any, Protocol

import rfc8785

from fairnode.mpc import ENGINE
from fairnode.mpc.dealing import Ring, Rows, Subset, Words

Parameters = Mapping[str, Any]
Table = dict[str, Any]
Columns = Sequence[Sequence[int]]
"""What one contributor puts in, in clear: one list of whole numbers for each thing that is asked."""
Shares = dict[str, Any]
"""Output of a party by name: its Shamir shares modulo 2^61 - 1, or its rows of an XOR sharing by subset."""
Mpc = Any
"""MPyC's runtime, which has no types of its own."""
Shared = Any
"""A number or an array shared in MPyC."""
Json = Any
"""Anything that JSON can hold."""
RUN_SECONDS = 120.0
"""How long a run may take, unless its program says otherwise."""


class Session(Protocol):
    """What a program finds at a compute party; `runtime` is MPyC's, connected and agreed upon."""

    runtime: Mpc
    me: int
    m: int
    t: int

    @property
    def field(self) -> Any:
        """MPyC's type of elements modulo 2^61 - 1."""
        ...

    def enter(self, rows: Rows) -> Shared:
        """Dealt rows as an array shared in MPyC over `field` (2^61 - 1)."""
        ...

    def split_random(self, bound: int, length: int) -> Mapping[Subset, Any]:
        """Fresh random integers below `bound`, one array for each set T that this party is not in."""
        ...

    def random(self, length: int) -> Shared:
        """Secret uniform elements of `field`."""
        ...

    def weigh(self, rows: Mapping[Subset, Any], kind: Mpc = None) -> Shared:
        """Integers known to all holders of each T, summed over T, as an array shared in MPyC."""
        ...

    async def lift(self, small: Shared, kind: Mpc) -> Shared:
        """Small values over `field` as an array of the secure integer type `kind`."""
        ...


@dataclass(frozen=True)
class Program:
    """One computation: what goes in, what is computed, what is opened, and to whom.

    `check(parameters, contributors, parties)` raises NotValid; `encode(columns, parameters, place)` makes of
    the numbers of the contributor at `place` (0, 1, ... in the order of the study) the
    `length(parameters, place)` elements of `ring(parameters)` that it deals, and raises NotValid when they
    are not what the program takes; `run` computes a party's output shares; `table`
    makes of the opened outputs what the recipient reads; `describe(parameters)` says it to people;
    `seconds(parameters)` is how long a run may take before the parties end it.
    `sources` are the modules whose bytes are the program.
    """

    name: str
    version: str
    sources: tuple[str, ...]
    check: Callable[[Parameters, int, int], None]
    ring: Callable[[Parameters], Ring]
    length: Callable[[Parameters, int], int]
    encode: Callable[[Columns, Parameters, int], Words]
    run: Callable[[Session, Sequence[Rows], Parameters], Awaitable[Shares]]
    table: Callable[[Mapping[str, Sequence[int]], Parameters], Table]
    describe: Callable[[Parameters], str]
    seconds: Callable[[Parameters], float] = lambda _: RUN_SECONDS

    @property
    def digest(self) -> str:
        """SHA-256 (hex) over name, version, engine version and the program's source files."""
        hasher = hashlib.sha256(json.dumps([self.name, self.version, ENGINE]).encode())
        for module in self.sources:
            hasher.update(hashlib.sha256(_source(module)).digest())
        return hasher.hexdigest()


def parameters_digest(parameters: Json) -> str:
    """SHA-256 (hex) of the canonical JSON (RFC 8785) of anything that JSON can hold."""
    return hashlib.sha256(rfc8785.dumps(parameters)).hexdigest()


def engine_versions() -> str:
    """What must be the same at all parties for messages and arithmetic to fit."""
    return f"{ENGINE} mpyc/{metadata.version('mpyc')}"


def _source(module: str) -> bytes:
    spec = util.find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).read_bytes()
