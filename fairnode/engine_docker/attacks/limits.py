"""Using more of the machine than was granted, as far as it does not end the container."""

from __future__ import annotations

import errno
import os
import signal
import threading
import time
from pathlib import Path

Outcome = tuple[bool, str]
OUT = "/fairnode/out/result"
MIB = 1 << 20


def processes() -> Outcome:
    """Start processes until it is refused."""
    children: list[int] = []
    try:
        while len(children) < 1500:
            child = os.fork()
            if child == 0:
                signal.pause()
            children.append(child)
    except BlockingIOError:
        pass
    for child in children:
        os.kill(child, signal.SIGKILL)
    for child in children:
        os.waitpid(child, 0)
    return len(children) < 1000, f"stopped at {len(children)} processes"


def threads() -> Outcome:
    """Start threads until it is refused."""
    end = threading.Event()
    started = 0
    try:
        while started < 1500:
            threading.Thread(target=end.wait, daemon=True).start()
            started += 1
    except RuntimeError:
        pass
    end.set()
    return started < 1000, f"stopped at {started} threads"


def scratch() -> Outcome:
    """Fill the memory disks with bytes and with files."""
    told = []
    for folder in ("/tmp", "/dev/shm"):  # noqa: S108
        size, files = _fill(Path(folder)), _litter(Path(folder))
        told.append(f"{folder}: {size / MIB:.0f} MiB, {files} files")
        if size >= 1024 * MIB or files >= 100_000:
            return False, "; ".join(told)
    return True, "; ".join(told)


def _fill(folder: Path) -> int:
    written, path = 0, folder / "fill"
    try:
        with path.open("wb", buffering=0) as file:
            while written < 1024 * MIB:
                written += file.write(b"x" * MIB)
    except OSError as error:
        assert error.errno in (errno.ENOSPC, errno.EFBIG), error  # noqa: PT017
    path.unlink()
    return written


def _litter(folder: Path) -> int:
    made = 0
    try:
        while made < 100_000:
            (folder / f"litter{made}").touch()
            made += 1
    except OSError as error:
        assert error.errno == errno.ENOSPC, error  # noqa: PT017
    for number in range(made):
        (folder / f"litter{number}").unlink()
    return made


def output_size() -> Outcome:
    """Make the output file a terabyte, with and without content."""
    handle = os.open(OUT, os.O_WRONLY)
    reached = 0
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    for size in (1 << 40, 20 << 30, 1 << 30):
        try:
            os.ftruncate(handle, size)
            reached = max(reached, size)
        except OSError as error:
            assert error.errno == errno.EFBIG, error  # noqa: PT017
    try:
        while reached < 1 << 30:
            os.pwrite(handle, b"x" * MIB, reached)
            reached += MIB
    except OSError as error:
        assert error.errno in (errno.EFBIG, errno.ENOSPC), error  # noqa: PT017
    os.ftruncate(handle, 0)
    os.close(handle)
    return reached < 1 << 30, f"stopped at {reached / MIB:.0f} MiB"


def open_files() -> Outcome:
    """Open files until it is refused."""
    handles: list[int] = []
    try:
        while len(handles) < 100_000:
            handles.append(os.open("/dev/null", os.O_RDONLY))
    except OSError as error:
        assert error.errno == errno.EMFILE, error  # noqa: PT017
    for handle in handles:
        os.close(handle)
    return len(handles) < 10_000, f"stopped at {len(handles)} files"


def processor() -> Outcome:
    """Burn processor time in nine processes for a second."""
    began = time.monotonic()
    for _ in range(9):
        if os.fork() == 0:
            while time.monotonic() - began < 1:
                pass
            os._exit(0)
    for _ in range(9):
        os.wait()
    spent = os.times()
    used = (spent.children_user + spent.children_system) / (time.monotonic() - began)
    return used < 1.5, f"{used:.2f} processors used, 1 granted"


ATTACKS = {
    "processes": processes,
    "threads": threads,
    "scratch": scratch,
    "output-size": output_size,
    "open-files": open_files,
    "processor": processor,
}
