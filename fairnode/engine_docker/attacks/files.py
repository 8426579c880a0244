"""Writing where nothing may be written, changing data or output, reading the machine's own files."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from fairnode.engine_docker.attacks.kernel import OWN_DEVICES, is_gvisor

Outcome = tuple[bool, str]
OUT = Path("/fairnode/out/result")
IN = Path("/fairnode/in")
ALLOWED = ("/tmp", "/dev/shm")  # noqa: S108  what a container may write to
WRITABLE_DEVICES = {
    *("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"),
    *("/dev/tty", "/dev/ptmx", "/dev/pts/ptmx"),
}
FORBIDDEN = (
    "/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/proc/sys/kernel/modprobe",
    "/proc/sys/vm/drop_caches", "/proc/sys/net/ipv4/ip_forward", "/sys/kernel/uevent_helper",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory.max",
    "/sys/fs/cgroup/release_agent", "/sys/fs/cgroup/pids/pids.max", "/dev/mem", "/dev/kmem", "/dev/kmsg",
    "/dev/port", "/dev/vda", "/dev/sda", "/dev/nvme0n1", "/dev/fuse", "/dev/net/tun", "/dev/kvm",
    "/dev/vsock", "/dev/vhost-vsock",
)  # fmt: skip
SECRET = (
    "/proc/kcore", "/proc/kmsg", "/etc/shadow", "/proc/1/root/etc/shadow", "/sys/firmware/dmi/tables/DMI",
    "/dev/mem", "/dev/vda", "/dev/sda", "/run/secrets", "/root/.ssh",
)  # fmt: skip


def _works(action: Callable[[], object]) -> bool:
    try:
        action()
    except OSError:
        return False
    return True


def _touch(path: Path) -> None:
    path.touch()


def _open_to_write(path: Path | str) -> None:
    os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY))


def everywhere() -> Outcome:
    """Make a file in every directory, and open every file for writing."""
    found: list[str] = []
    walked = 0
    for folder, _, names in os.walk("/"):
        if folder.startswith(("/proc", "/sys")):
            continue
        if len(found) > 20:
            break  # enough seen; a file that can be opened for writing is copied by some engines
        walked += 1
        if not folder.startswith(ALLOWED) and _works(partial(_touch, Path(folder, ".attack"))):
            found.append(folder)
        found += [path for path in _opened(folder, names) if path not in WRITABLE_DEVICES]
    found = sorted(set(found) - {str(OUT)} - _harmless())
    return not found, f"wrote {', '.join(found[:5])}" if found else f"{walked} directories, none writable"


def _harmless() -> frozenset[str]:
    """Devices that are not of the machine, but of the sandbox's own kernel."""
    return OWN_DEVICES if is_gvisor() else frozenset()


def _opened(folder: str, names: list[str]) -> Iterator[str]:
    for name in names:
        path = Path(folder, name)
        if not str(path).startswith(ALLOWED) and os.access(path, os.W_OK, follow_symlinks=False):
            if path.is_symlink():
                continue
            if _works(partial(_open_to_write, path)):
                yield str(path)


def data() -> Outcome:
    """Change the records, their times, names or rights, or put something in their place."""
    done = [what for path in sorted(IN.iterdir()) for what in _changes(path)]
    done += _changes(Path("/fairnode/run.json"))
    return (
        not done,
        f"could {', '.join(sorted(set(done)))}" if done else "14 ways tried on each file, none worked",
    )


def _changes(path: Path) -> Iterator[str]:
    reading = os.open(path, os.O_RDONLY)
    again = f"/proc/self/fd/{reading}"
    ways: dict[str, Callable[[], object]] = {
        "write": lambda: os.close(os.open(path, os.O_WRONLY)),
        "append": lambda: os.close(os.open(path, os.O_WRONLY | os.O_APPEND)),
        "truncate": lambda: os.truncate(path, 0),
        "reopen for writing": lambda: os.close(os.open(again, os.O_RDWR)),
        **_ways_of_a_file(path),
    }
    yield from (what for what, way in ways.items() if _works(way))
    os.close(reading)


def _ways_of_a_file(path: Path) -> dict[str, Callable[[], object]]:
    beside = path.with_name("attack")
    return {
        "chmod": lambda: path.chmod(0o777),
        "set times": lambda: os.utime(path, (0, 0)),
        "rename": lambda: path.rename(beside),
        "move to /tmp": lambda: path.rename("/tmp/attack"),  # noqa: S108
        "unlink": path.unlink,
        "hard link": lambda: os.link(path, "/tmp/attack-link"),  # noqa: S108
        "link beside": lambda: beside.symlink_to("/etc/passwd"),
        "replace": lambda: Path("/tmp").replace(path),  # noqa: S108
        "set attribute": lambda: os.setxattr(path, "user.attack", b"x"),
        "change owner": lambda: os.chown(path, 65534, 0),
    }


def output() -> Outcome:
    """Do more with the output file than write to it."""
    done = [what for what, way in _ways_of_a_file(OUT).items() if what != "set times" and _works(way)]
    return not done, f"could {', '.join(done)}" if done else "9 ways tried, none worked"


def machine() -> Outcome:
    """Read or write the kernel's, the engine's and the machine's own files."""
    forbidden = [p for p in FORBIDDEN if p not in _harmless()]
    written = [p for p in forbidden if Path(p).exists() and _works(partial(_open_to_write, p))]
    read = [p for p in SECRET if _reads(Path(p))]
    strangers = [p for p in os.listdir("/proc") if p.isdigit() and not _is_ours(int(p))]  # noqa: PTH208
    wrong = [*(f"wrote {p}" for p in written), *(f"read {p}" for p in read), *(f"saw {p}" for p in strangers)]
    return not wrong, ", ".join(
        wrong[:5]
    ) or f"{len(FORBIDDEN)} not written, {len(SECRET)} not read, no strangers"


def _reads(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return len(file.read(1)) == 1
    except OSError:
        return False


def _is_ours(process: int) -> bool:
    try:
        return os.stat(f"/proc/{process}").st_uid == os.getuid()  # noqa: PTH116
    except FileNotFoundError:
        return True  # ended meanwhile


def borrowed_rights() -> Outcome:
    """Gain rights through a program that lends them, found or made; and make a device."""
    marked = [p for p in _programs() if p.stat().st_mode & (stat.S_ISUID | stat.S_ISGID)]
    gained = [str(p) for p in marked if p.name in ("su", "sudo", "bash", "sh") and _becomes_root(p)]
    if _works(lambda: os.mknod("/tmp/disk", 0o600 | stat.S_IFBLK, os.makedev(254, 0))):  # noqa: S108
        gained.append("a block device")
    shell = Path("/tmp/shell")  # noqa: S108
    shell.write_bytes(Path("/bin/sh").read_bytes())
    _works(lambda: shell.chmod(0o4755))
    if _works(lambda: subprocess.run([shell, "-p", "-c", "exit"], check=False)):
        gained.append("a program in /tmp ran")
    return not gained, ", ".join(
        gained
    ) or f"{len(marked)} programs marked, none lent rights; /tmp runs nothing"


def _programs() -> list[Path]:
    folders = [
        Path(f) for f in ("/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin") if Path(f).is_dir()
    ]
    return [p for folder in folders for p in folder.iterdir() if p.is_file() and not p.is_symlink()]


def _becomes_root(program: Path) -> bool:
    told = subprocess.run([program, "-p", "-c", "id -u"], check=False, capture_output=True, timeout=5)
    return told.stdout.strip() == b"0"


ATTACKS = {
    "everywhere": everywhere,
    "data": data,
    "output": output,
    "machine": machine,
    "borrowed-rights": borrowed_rights,
}
