"""Planted values of one contributor are in no file, log, message or captured byte of anybody else."""

import socket
import threading

import numpy as np
import pytest
from mpc_network import Network, Party, run_cold

from fairnode.mpc.party.codec import decode

PLANTED = [13_579_024, 9_876_543, 11_223_344, 7_654_321]
OTHERS = [[5_000_001, 1_000_003, 2_000_029, 3_000_017], [4_000_037, 8_000_009, 6_000_011, 1_500_007]]
PARAMETERS = {
    "cells": 4,
    "k": 11,
    "base": 5,
    "earlier": 0,
    "largest": 1 << 24,
    "lists": "disjoint",
    "engine": "bits",
}


class Tap:
    """Stands in front of a gateway and keeps every byte that goes through, in both directions."""

    def __init__(self, port):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.seen = []
        self._sockets = []
        self._target = port
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in self._sockets:
            each.close()

    def _accept(self):
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._target))
            self._sockets += [near, far]
            for source, sink in ((near, far), (far, near)):
                record = bytearray()
                self.seen.append(record)
                threading.Thread(target=self._copy, args=(source, sink, record), daemon=True).start()

    def _copy(self, source, sink, record):
        try:
            while data := source.recv(65536):
                record.extend(data)
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            return


def spellings(value):
    """How a value could stand in bytes: as text, and as words of either order (hex text of them, too)."""
    words = [value.to_bytes(8, order) for order in ("little", "big")] + [value.to_bytes(4, "big")]
    return [str(value).encode(), *words, *(word.hex().encode() for word in words)]


def test_planted_values_are_found_nowhere_else(tmp_path):
    inputs = [PLANTED, *OTHERS]
    with Network(tmp_path / "network") as network:
        jobs = network.jobs("sum", PARAMETERS, inputs)
        taps = [Tap(gateway.port) for gateway in network.gateways]
        for i, job in enumerate(jobs):
            job |= {"synthetic": True, "transcript": str(tmp_path / f"messages{i}")}
            job["parties"] = [
                place | {"port": tap.port} for place, tap in zip(job["parties"], taps, strict=True)
            ]
        outcomes = run_cold(jobs, tmp_path / "run")
        table = network.combine("sum", PARAMETERS, outcomes)
        for tap in taps:
            tap.close()
    assert table["cells"] == [round(sum(column) / 5) * 5 for column in zip(*inputs, strict=True)]

    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    captured = [bytes(record) for tap in taps for record in tap.seen]
    held = [path.read_bytes() for path in files] + captured
    assert sum(len(record) for record in captured) > 10_000
    assert sum(path.name.startswith("messages") and path.stat().st_size > 3_000 for path in files) == 3
    found = [value for value in PLANTED for spelling in spellings(value) for data in held if spelling in data]
    assert found == []
    rest = [sum(column) - value for column, value in zip(zip(*inputs, strict=True), PLANTED, strict=True)]
    assert not any(spelling in data for value in rest for spelling in spellings(value) for data in held)


def test_a_transcript_is_written_for_synthetic_data_only(three, tmp_path):
    jobs = three.jobs("sum", PARAMETERS, [PLANTED, *OTHERS])
    jobs[0] |= {"transcript": str(tmp_path / "messages"), "join_seconds": 1}
    party = Party(jobs[0], tmp_path / "party")
    try:
        party.process.wait(20)
        assert "not complete" in (tmp_path / "party" / "result.json").read_text()
    finally:
        party.kill()
    assert not (tmp_path / "messages").exists()


@pytest.mark.parametrize("engine", ["bits", pytest.param("mpyc", marks=pytest.mark.long)])
def test_messages_of_a_run_are_uniform_even_if_every_input_is_zero(tmp_path, engine):
    told = PARAMETERS | {"cells": 500, "engine": engine}
    with Network(tmp_path / "network") as network:
        jobs = network.jobs("sum", told, [[0] * 500] * 3)
        for i, job in enumerate(jobs):
            job |= {"synthetic": True, "transcript": str(tmp_path / f"messages{i}")}
        outcomes = run_cold(jobs, tmp_path / "run")
        assert network.combine("sum", told, outcomes)["cells"] == [None] * 500
    for i in range(3):
        lines = [line.split() for line in (tmp_path / f"messages{i}").read_text().splitlines()]
        payloads = [bytes.fromhex(words[3]) for words in lines if words[1] == "D"]
        if engine == "mpyc":
            numbers = np.concatenate([decode(payload) for payload in payloads]).astype(np.uint64)
            low = numbers.astype(np.int64) & 15
        else:  # after its length in eight bytes a message is words of masked bits
            octets = np.frombuffer(b"".join(payload[8:] for payload in payloads), np.uint8)
            low = np.concatenate([octets & 15, octets >> 4])
        counts = np.bincount(low, minlength=16)
        expected = len(low) / 16
        assert expected > 1000
        assert float(((counts - expected) ** 2 / expected).sum()) < 60  # 15 degrees of freedom: 1 in 10^6
