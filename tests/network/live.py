"""Four nodes as real processes: web and worker each, the real engine, and whatever travels over loopback."""

from __future__ import annotations

import json
import os
import signal
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from fairnode.demo import processes, story
from fairnode.demo.agree import agree
from fairnode.demo.make import make_members, make_shared
from fairnode.demo.members import HOME, Member, example, members
from fairnode.node import Node, open_node
from fairnode.people.tokens import who_token
from fairnode.records.rows import Quarantine, Release, Visit
from fairnode.records.states import StudyState
from fairnode.release.releases import releases_of
from fairnode.studies.send import draft, own_study, send

KEYS = ("police", "labour", "coordinators", "shelters")


@dataclass
class Live:
    """The members, their processes by (key, command), and the folder of the case files."""

    members: dict[str, Member]
    data: Path
    running: dict[tuple[str, str], subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def home(self) -> Node:
        """The home node, opened beside its own processes."""
        return self.node(HOME)

    def node(self, key: str) -> Node:
        """A node, opened beside its own processes; the caller lets it go."""
        return open_node(self.members[key].directory)

    def start(self, key: str, command: str) -> None:
        """Start a process of a node."""
        self.running[key, command] = processes.start_one(self.members[key], command)

    def kill(self, key: str, command: str) -> None:
        """End a process of a node without any warning."""
        process = self.running.pop((key, command))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        """End all processes."""
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            process.wait(120)

    def organisations(self) -> list[object]:
        """The organisations that take part."""
        return [o for o in example().ORGANISATIONS if o.key in self.members]

    def ask(self, dimensions: Iterable[str], datasets: Iterable[str] | None = None, **changes: object) -> str:
        """Send a combined study over all, as the home node's researcher; its hash."""
        node, home = self.home, self.members[HOME]
        algorithm = story.wait_for_algorithm(node, "counts")
        rosa = who_token(node, home.token_file("rosa").read_text(encoding="utf-8"))
        wanted = {
            "title": "Registrations",
            "question": "How many registrations are there?",
            "purpose": "https://w3id.org/fairnode/policy#TraffickingStatistics",
            "legalBasis": ["https://w3id.org/dpv/legal/eu/gdpr#A6-1-e"],
            "algorithm": {"name": algorithm.name, "version": algorithm.version, "identity": algorithm.image},
            "datasets": sorted(datasets or [m.dataset for m in self.members.values()]),
            "dimensions": list(dimensions),
            "parameters": {"dimensions": list(dimensions)},
            "stages": [
                {"name": "count", "kind": "visit"},
                {"name": "combine", "kind": "combine", "program": "sum", "inputs": ["count"]},
            ],
            "openings": ["combine"],
            **changes,
        }
        study = send(node, rosa, draft(node, rosa, wanted)).id
        node.close()
        return study

    def approve(self, study: str, keys: Iterable[str] = KEYS) -> dict[str, int]:
        """Custodian and counsel sign where the policy asks; how many visits waited for people, by node."""
        return {key: story.approve_all(self.members[key], study) for key in keys}

    def released(self, study: str, seconds: float = 120.0) -> list[Release]:
        """What was released, once the study has ended."""
        node, until = self.home, time.monotonic() + seconds
        while own_study(node, study).state == StudyState.SENT and time.monotonic() < until:
            gone = [name for name, process in self.running.items() if process.poll() is not None]
            assert not gone, f"ended by themselves, or by somebody else: {gone}"
            time.sleep(0.1)
        found = releases_of(node, study)
        node.close()
        return found

    def counts(self, key: str, study: str) -> list[int]:
        """A node's own counts of a study, as only that node has them."""
        node = self.node(key)
        with node.store.read() as reader:
            (visit,) = reader.find(Visit, {"study": study})
            quarantine = reader.get(Quarantine, visit.id)
        node.close()
        return list(quarantine.verdict["counts"])


def build(folder: Path, cache: Path) -> Live:
    """Four members of the demo, with the people that are needed, in an agreement."""
    cache.mkdir(parents=True, exist_ok=True)
    made = make_shared(cache)
    chosen = [member for member in members(folder) if member.key in KEYS]
    make_members(chosen, made)
    agree(chosen)
    return Live({m.key: m for m in chosen}, made.data)


def shown(release: Release) -> dict[tuple[str, ...], int]:
    """The cells of a release that are shown."""
    (table,) = json.loads(release.table)["tables"]
    return {tuple(c["k"]): c["n"] for c in table["cells"] if c["status"] == "shown"}


class Traffic:
    """Everything that goes over loopback from or to some ports, if this user may listen; else nothing."""

    def __init__(self, ports: Iterable[int]) -> None:
        self.ports, self.taken, self.ended = frozenset(ports), bytearray(), threading.Event()
        try:
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0003))
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 26)
            self.socket.bind(("lo", 0))
            self.socket.settimeout(0.2)
        except (OSError, AttributeError):
            self.allowed = False
            return
        self.allowed = True
        self.thread = threading.Thread(target=self._listen, daemon=True)
        self.thread.start()

    def _listen(self) -> None:
        while not self.ended.is_set():
            try:
                frame = self.socket.recv(65_700)
            except TimeoutError:
                continue
            start = 14 + (frame[14] & 15) * 4 if frame[12:14] == b"\x08\x00" and frame[23] == 6 else 0
            if start and self.ports & set(struct.unpack_from("!HH", frame, start)):
                self.taken += frame[start + 20 :]

    def stop(self) -> bytes:
        """What was taken."""
        if not self.allowed:
            return b""
        self.ended.set()
        self.thread.join()
        self.socket.close()
        return bytes(self.taken)
