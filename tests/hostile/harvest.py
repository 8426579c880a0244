"""Cases 52-54: what a container leaves behind, and what of it may be taken."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path

from fairnode.engine import NotCollected, Reason
from fairnode.engine_docker.spool import read_output
from tests.hostile.case import Outcome, Target, case, contained, refused
from tests.hostile.containment import SMALL, loud, run, visit


@case(52, "a valid result, then out of memory")
def then_memory(target: Target) -> Outcome:
    return loud(target, "memory", Reason.OUT_OF_MEMORY)


@case(52, "a valid result, then too late")
def then_overtime(target: Target) -> Outcome:
    return loud(target, "overtime", Reason.TOO_LATE, seconds=1)


@case(52, "a valid result, then an exit code with a message in it")
def then_code(target: Target) -> Outcome:
    return loud(target, "failing", Reason.FAILED)


def _bind(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))


def _hard_link(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(b"{}")
    os.link(other, path)


OTHERS: dict[str, Callable[[Path], object]] = {
    "a symlink": lambda path: path.symlink_to("/etc/hostname"),
    "a symlink that leads to itself": lambda path: path.symlink_to(path),
    "a hard link": _hard_link,
    "a pipe": os.mkfifo,
    "a directory": Path.mkdir,
    "a device": lambda path: os.mknod(path, 0o600 | stat.S_IFCHR, os.makedev(1, 5)),
    "a socket": _bind,
    "gone": Path.exists,
}


def _take(target: Target, kind: str) -> Outcome:
    folder = target.folder / kind.replace(" ", "-")
    folder.mkdir()
    OTHERS[kind](folder / "result")
    try:
        read_output(folder / "result", 1 << 20)
    except NotCollected as error:
        return refused(error.reason is Reason.NOT_A_FILE, error.what)
    return refused(False, "was read")


def _add_others() -> None:
    for kind in OTHERS:
        case(53, f"the output is {kind}", "refused")(lambda target, k=kind: _take(target, k))


_add_others()


@case(53, "links and pipes made from inside the container")
def from_inside(target: Target) -> Outcome:
    with visit(target, "output", limits=SMALL) as spec:
        run(target.engine, spec)
        found = target.engine.daemon.inspect(f"fairnode-{target.engine.node}-{spec.visit_id}")
        (source,) = [m["Source"] for m in found["Mounts"] if m["RW"]]
        facts = Path(source).lstat()
        plain = stat.S_ISREG(facts.st_mode) and facts.st_nlink == 1
        return contained(
            plain and stat.S_IMODE(facts.st_mode) == 0o622, "still a plain file, one name, mode 0622"
        )
