"""Plays the server of a collaboration that has one node: this one.

`launch.py` lays this file where every Python in the container loads it as `sitecustomize`. The sandbox has no
network at all, so a "central" function would ask for its server until its time is over. Here its connection is a
pair of sockets within the process, and a thread at the other end answers what the clients of vantage6 3 and 4
ask: one organisation, and tasks for it, each run at once as a process of its own, in this container and on the
same records. Nothing leaves the container that could not leave it before; a task for anybody else is refused.
"""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

HERE = Path(__file__).parent
STARTED = dict(os.environ)  # before the tools decode it
ORGANISATION = {"id": 1, "name": "this node", "public_key": "", "collaborations": [1]}
NODE = {"id": 1, "name": "this node", "status": "online", "organization": ORGANISATION}
ONLY = {"/organization": ORGANISATION, "/node": NODE, "/collaboration": {"id": 1, "name": "this node only"}}
REFUSED = "This node is the only one here: a task can be for organisation 1 and nobody else."

TASKS: dict[int, bytes | None] = {}  # what each answered; nothing where it failed


class Answer(BaseHTTPRequestHandler):
    """One request, answered in JSON."""

    def do_GET(self) -> None:
        """What there is."""
        asked = urlsplit(self.path)
        self.say(*told(asked.path.rstrip("/"), {k: v[0] for k, v in parse_qs(asked.query).items()}))

    def do_POST(self) -> None:
        """A new task."""
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        self.say(*(new_task(body) if urlsplit(self.path).path.rstrip("/") == "/task" else nothing()))

    def say(self, status: int, content: Any) -> None:
        """Send an answer."""
        text = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *words: object) -> None:
        """Say nothing."""


def told(path: str, query: dict[str, str]) -> tuple[int, Any]:
    """What is at a path, in the shape that versions 3 (a list) and 4 (`data` and `links`) expect."""
    kind, _, rest = path[1:].partition("/")
    if rest.endswith("/organization"):  # of the collaboration, or of a study
        return listed([ORGANISATION])
    if "/" + kind in ONLY:
        return listed([ONLY["/" + kind]]) if not rest else (200, ONLY["/" + kind])
    if kind == "blobstream":
        return 200, {"blob_store_enabled": False}
    if kind == "study":
        return listed([])
    if kind == "task":
        return of_task(int(rest.split("/")[0]), rest)
    if kind in ("result", "run"):
        wanted = query.get("task_id") or rest
        return listed([run_of(int(wanted))]) if not rest else (200, run_of(int(wanted)))
    return nothing()


def of_task(number: int, rest: str) -> tuple[int, Any]:
    """A task, or in version 3 its results."""
    if number not in TASKS:
        return nothing()
    if rest.endswith("/result"):
        return 200, [run_of(number)] if MARK else {"data": [run_of(number)], "links": {}}
    state = "crashed" if TASKS[number] is None else "completed"
    return 200, {"id": number, "name": "subtask", "status": state, "complete": True}


def run_of(number: int) -> dict[str, Any]:
    """The run of a task."""
    answer = TASKS.get(number)
    text = None if answer is None else base64.b64encode(answer).decode()
    state = "crashed" if answer is None else "completed"
    return {
        "id": number,
        "task": {"id": number},
        "organization": ORGANISATION,
        "result": text,
        "status": state,
    }


def listed(entries: list[Any]) -> tuple[int, Any]:
    """A page with all there is."""
    return 200, entries if MARK else {"data": entries, "links": {}}


def nothing() -> tuple[int, Any]:
    """What else a server would have."""
    return 404, {"msg": "There is no server: only this node, its organisation and tasks for it."}


def new_task(body: dict[str, Any]) -> tuple[int, Any]:
    """Run a task for this node, to its end. Refused as a whole when it is for another one too."""
    addressed = body.get("organizations") or []
    if [entry.get("id") for entry in addressed] != [ORGANISATION["id"]]:
        sys.stderr.write(REFUSED + "\n")
        return 403, {"msg": REFUSED}
    number = len(TASKS) + 2  # the central function's own is 1
    TASKS[number] = None
    TASKS[number] = answer_of(number, base64.b64decode(addressed[0]["input"]))
    return 201, {"id": number, "name": body.get("name"), "status": "pending", "complete": False}


def answer_of(number: int, asked: bytes) -> bytes | None:
    """What the algorithm answers to an input; nothing when it fails."""
    folder = Path(tempfile.mkdtemp(prefix="task-"))
    given, taken = folder / "input.json", folder / "output.json"
    given.write_bytes(asked)
    taken.write_bytes(b"")
    environment = dict(STARTED, INPUT_FILE=coded(str(given)), OUTPUT_FILE=coded(str(taken)))
    done = subprocess.run(TOLD["command"], env=environment, cwd=TOLD["directory"], check=False)
    if done.returncode:
        sys.stderr.write("task " + str(number) + " ended with exit code " + str(done.returncode) + "\n")
        return None
    return taken.read_bytes()


def coded(value: str) -> str:
    """A value as the tools of the image expect it."""
    if not TOLD["encoded"]:
        return value
    return base64.b32encode(value.encode("utf-8")).decode("ascii").replace("=", "!")


class Line(socket.socket):
    """A socket of the internet that is one end of a pair; connected to this node's server, or to nobody."""

    def __init__(self, family: int = -1, *more: int, fileno: int | None = None, **named: int) -> None:
        self.far: socket.socket | None = None
        is_new = fileno is None and len(more) < 3
        if is_new and family in (-1, socket.AF_INET, socket.AF_INET6):
            near, self.far = socket.socketpair()
            super().__init__(socket.AF_UNIX, socket.SOCK_STREAM, 0, near.detach())
        else:
            super().__init__(family, *more, **(named if fileno is None else dict(named, fileno=fileno)))

    def setsockopt(self, *options: Any) -> None:
        """What is meant for the internet has no meaning here."""
        if self.far is None:
            super().setsockopt(*options)

    def connect(self, address: Any) -> None:
        """Reach the server, and nobody else."""
        if self.far is None:
            super().connect(address)
        elif address[1] != TOLD["port"]:
            raise ConnectionRefusedError(111, "this container has no network")
        else:
            threading.Thread(target=Answer, args=(self.far, ("this node", 0), None), daemon=True).start()


if (HERE / "told.json").exists():
    TOLD = json.loads((HERE / "told.json").read_text(encoding="utf-8"))
    MARK = TOLD["mark"]
    socket.socket = Line  # type: ignore[misc]
