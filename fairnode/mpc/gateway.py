"""One listening port a node for all computations: accepts, reads the preamble, hands the socket on.

The gateway sees no plaintext and holds no key. It passes the file descriptor (SCM_RIGHTS) to the party
process of the run over a Unix socket in a folder that only this user can enter; TLS begins there.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from fairnode.mpc.transport import preamble

PREAMBLE_SECONDS = 3.0
CONNECTIONS = 64
"""So many may be between accept and hand-over at once; more wait in the listen queue."""


class Gateway:
    """Listens on one address from `__enter__` (or `start`) to `__exit__` (or `stop`).

    `folder` is where the party processes of this node put their Unix sockets, named by run id. Port 0
    takes a free one; `port` tells which. Raises OSError if the address is taken.
    """

    def __init__(self, host: str, port: int, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._listener = socket.create_server((host, port), backlog=128)
        self._slots = threading.BoundedSemaphore(CONNECTIONS)
        self._thread = threading.Thread(target=self._accept, name="mpc-gateway", daemon=True)
        self.port: int = self._listener.getsockname()[1]

    def start(self) -> Self:
        """Begin to accept."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop accepting; connections that were handed over go on."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the accepting thread
        self._listener.close()
        self._thread.join(timeout=5)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _accept(self) -> None:
        while True:
            self._slots.acquire()
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return  # closed by stop()
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection, contextlib.suppress(OSError, ValueError):
                hand_over(connection, self._folder)
        finally:
            self._slots.release()


def hand_over(connection: socket.socket, folder: Path) -> None:
    """Read the preamble and pass the connection to the run's process, or answer that there is none."""
    until = time.monotonic() + PREAMBLE_SECONDS
    body = _read(connection, preamble.body_length(_read(connection, preamble.HEADER, until)), until)
    said = preamble.parse(body)
    answer = preamble.TAKEN if said.protocol == preamble.PROTOCOL else preamble.OTHER_PROTOCOL
    try:
        with socket.socket(socket.AF_UNIX) as inbox, short_path(folder) as place:
            inbox.settimeout(PREAMBLE_SECONDS)
            inbox.connect(f"{place}/{said.run}")
            connection.sendall(answer)
            socket.send_fds(inbox, [body], [connection.fileno()])
    except (FileNotFoundError, ConnectionRefusedError):
        connection.sendall(preamble.UNKNOWN)


@contextlib.contextmanager
def short_path(folder: Path) -> Iterator[str]:
    """A name for `folder` that fits the 107 bytes of a Unix socket address, however deep it lies."""
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)


def _read(connection: socket.socket, length: int, until: float) -> bytes:
    data = b""
    while len(data) < length:
        connection.settimeout(max(0.001, until - time.monotonic()))
        part = connection.recv(length - len(data))
        if not part:
            raise ValueError("connection ended within the preamble")
        data += part
    return data
