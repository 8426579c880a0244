"""What input parties upload for a benchmark: real packages and blocks (P13), and their sizes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fairnode.mpc.dealing import Ring, Terms, Words, deal, new_receiver_key
from fairnode.mpc.overlap.cells import lane
from fairnode.mpc.overlap.shape import OverlapShape, patterns
from fairnode.mpc.overlap.tables import HashingKey, bins

Job = dict[str, Any]


class Uploads:
    """The receivers' keys of a computation, and what was dealt to them into `folder`."""

    def __init__(self, folder: Path, parties: int) -> None:
        self._folder = folder
        self._receivers = [new_receiver_key() for _ in range(parties)]
        self._inputs: list[Job] = []
        self.largest = 0
        self.seconds = 0.0

    def add(self, values: Words, ring: Ring) -> None:
        """Deal the values of one more contributor."""
        number = len(self._inputs)
        sender, key = f"https://org{number}.example/", Ed25519PrivateKey.generate()
        public = tuple(receiver.public for receiver in self._receivers)
        start = time.perf_counter()
        dealing = deal(values, Terms("ab" * 32, 1, sender, ring, len(values), public), key)
        self.seconds += time.perf_counter() - start
        place = self._folder / str(number)
        place.mkdir()
        for party, package in enumerate(dealing.packages):
            (place / f"{party}.package").write_bytes(package)
        (place / "block").write_bytes(dealing.correction)
        self.largest = max(self.largest, len(dealing.correction) + sum(map(len, dealing.packages)))
        told = {"sender": sender, "key": key.public_key().public_bytes_raw().hex(), "folder": str(place)}
        self._inputs.append({**told, "ring": ring.value, "length": len(values)})

    @property
    def job(self) -> Job:
        """What parties need to read the uploads."""
        return {
            "inputs": self._inputs,
            "receivers": [key.public.hex() for key in self._receivers],
            "secrets": [key.secret.hex() for key in self._receivers],
        }


def deal_lists(shape: OverlapShape, uploads: Uploads) -> list[int]:
    """Deal lists with much overlap; the exact cells in clear. `uploads.seconds` counts hashing, too."""
    key = HashingKey(b"benchmark", "study")
    on = np.zeros(3 * shape.bound, int)
    for place in range(shape.lists):
        chosen = np.random.default_rng(100 + place).choice(3 * shape.bound, shape.bound, replace=False)
        on[chosen] |= 1 << place
        keys = [f"{i:012d}" for i in chosen]
        start = time.perf_counter()
        words = bins(keys, key, shape, place).words
        uploads.seconds += time.perf_counter() - start
        uploads.add(words, Ring.XOR)
    return [int((on == lane(pattern)).sum()) for pattern in patterns(shape.lists)]


def deal_counts(program: Any, parameters: Job, cells: int, contributors: int, uploads: Uploads) -> None:
    """Deal counts of 0 to 39 for a program: one list, or persons and fewer events; rising for a quantile."""
    for number in range(contributors):
        drawn = np.random.default_rng(number).integers(0, 40, cells)
        columns: dict[str, Sequence[Sequence[int]]] = {
            "sum": [drawn.tolist()],
            "quantile": [np.sort(drawn).tolist()],
            "regression": [(drawn + 60).tolist(), (drawn // 2 + 5).tolist()],
        }
        uploads.add(program.encode(columns[program.name], parameters, number), program.ring(parameters))
