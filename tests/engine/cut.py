"""A stretch of wire to the engine that can be cut: at once, or right after a request went through."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fairnode import errors
from fairnode.engine import Engine, Phase, VisitSpec

METHODS = (b"GET ", b"POST ", b"PUT ", b"DELETE ", b"HEAD ")


class Wire:
    """Listens at `path` and passes everything on to the engine's own socket."""

    def __init__(self, path: Path, engine: str = "/var/run/docker.sock") -> None:
        self.requests = 0
        self._engine = engine
        self._cut_at = -1
        self._is_cut = False
        self._open: list[socket.socket] = []
        self._cutting = threading.Lock()  # a wire is mended when it was cut to its last end, not before
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(path))
        self._server.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Nobody answers any more."""
        with self._cutting:
            self._is_cut = True
            self._hang_up()

    def cut_after(self, requests: int) -> None:
        """The engine gets so many more requests; the answer to the last of them is lost."""
        self._cut_at = self.requests + requests

    def mend(self) -> None:
        """All is as before."""
        with self._cutting:
            self._is_cut = False
            self._cut_at = -1

    def close(self) -> None:
        self._server.close()
        self._hang_up()

    def _hang_up(self) -> None:
        for end in self._open:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._open = []

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            engine = socket.socket(socket.AF_UNIX)
            with self._cutting:
                if self._is_cut:
                    client.close()
                    engine.close()
                    continue
                engine.connect(self._engine)
                self._open += [client, engine]
            threading.Thread(target=self._forward, args=(client, engine), daemon=True).start()
            threading.Thread(target=self._back, args=(engine, client), daemon=True).start()

    def _forward(self, client: socket.socket, engine: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while block := client.recv(1 << 16):
                self.requests += block.startswith(METHODS)
                engine.sendall(block)
            engine.shutdown(socket.SHUT_WR)

    def _back(self, engine: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while block := engine.recv(1 << 16):
                if self.requests == self._cut_at:
                    self._cut_at = -1  # once, whichever of several connections is the first
                    self.cut()
                    return
                client.sendall(block)
            client.shutdown(socket.SHUT_WR)


def again(wire: Wire, step: Callable[[], Any]) -> tuple[Any, int]:
    """Do a step until it is done, as the worker does; what it gave, and how often it was not done."""
    losses = 0
    while True:
        try:
            return step(), losses
        except errors.Unavailable:
            losses += 1
            assert losses < 5
            wire.mend()


def whole_visit(wire: Wire, far: Engine, spec: VisitSpec) -> tuple[bytes, int]:
    """A visit from beginning to end over a wire; what was collected, and how many steps were repeated."""
    losses = again(wire, lambda: far.prepare(spec))[1]
    losses += again(wire, lambda: far.start(spec.visit_id))[1]
    is_running = True
    while is_running:
        state, lost = again(wire, lambda: far.look(spec.visit_id))
        is_running = state.phase is Phase.RUNNING
        losses += lost
    content, lost = again(wire, lambda: far.collect(spec.visit_id))
    return content, losses + lost + again(wire, lambda: far.remove(spec.visit_id))[1]
