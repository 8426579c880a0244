"""System calls that a program which counts records never needs, each tried so that it would succeed."""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import signal
import time
from collections.abc import Callable
from pathlib import Path

from fairnode.engine_docker.attacks.kernel import is_gvisor

PR_GET_NO_NEW_PRIVS = 39
Outcome = tuple[bool, str]
RESULT, TMP = b"/fairnode/out/result", b"/tmp"
HERE = -100  # AT_FDCWD
_LIBC = ctypes.CDLL(None, use_errno=True)
NEW_USER = 0x10000000

# name: (number on x86_64, number on aarch64; None where there is none)
NUMBERS: dict[str, tuple[int | None, int | None]] = {
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "kcmp": (312, 272), "pidfd_getfd": (438, 438),
    "process_madvise": (440, 440), "io_uring_setup": (425, 425), "io_setup": (206, 0), "shmget": (29, 194),
    "semget": (64, 190), "msgget": (68, 186), "mq_open": (240, 180), "mknodat": (259, 33),
    "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265), "fanotify_init": (300, 262),
    "inotify_init1": (294, 26), "setxattr": (188, 5), "lsetxattr": (189, 6), "removexattr": (197, 14),
    "vmsplice": (278, 75), "splice": (275, 76), "tee": (276, 77), "memfd_secret": (447, 447),
    "modify_ldt": (154, None), "sync": (162, 81), "syncfs": (306, 267), "personality": (135, 92),
    "setuid": (105, 146), "setgid": (106, 144), "setgroups": (116, 159), "setresuid": (117, 147),
    "fchownat": (260, 54), "mount": (165, 40), "umount2": (166, 39),
    "pivot_root": (155, 41), "chroot": (161, 51), "bpf": (321, 280), "perf_event_open": (298, 241),
    "add_key": (248, 217), "keyctl": (250, 219), "request_key": (249, 218), "userfaultfd": (323, 282),
    "unshare": (272, 97), "setns": (308, 268), "clone": (56, 220), "swapon": (167, 224), "reboot": (169, 142),
    "init_module": (175, 105), "finit_module": (313, 273), "kexec_load": (246, 104), "acct": (163, 89),
    "settimeofday": (164, 170), "clock_settime": (227, 112),
    "sethostname": (170, 161),
    "setdomainname": (171, 162), "iopl": (172, None), "ioperm": (173, None), "quotactl": (179, 60),
    "syslog": (103, 116), "mbind": (237, 235), "set_mempolicy": (238, 237), "move_pages": (279, 239),
    "fsopen": (430, 430), "open_tree": (428, 428), "move_mount": (429, 429), "mount_setattr": (442, 442),
    "bind": (49, 200), "listen": (50, 201), "accept": (43, 202), "connect": (42, 203), "vhangup": (153, 58),
    "sysfs": (139, None), "uselib": (134, None), "ustat": (136, None), "io_submit": (209, 2),
    "statmount": (457, 457), "listmount": (458, 458), "lsm_get_self_attr": (459, 459),
    "clone3": (435, 435), "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433),
    "delete_module": (176, 106), "kexec_file_load": (320, 294), "migrate_pages": (256, 238),
    "clock_adjtime": (305, 266), "adjtimex": (159, 171), "swapoff": (168, 225), "quotactl_fd": (443, 443),
    "process_mrelease": (448, 448), "cachestat": (451, 451), "io_uring_register": (427, 427),
    "lsm_list_modules": (461, 461), "setxattrat": (463, 463), "open_tree_attr": (467, 467),
    "lookup_dcookie": (212, 18),
}  # fmt: skip


def _pipe(*, full: bool = False) -> tuple[int, int]:
    reader, writer = os.pipe()
    if full:
        os.write(writer, b"x")
    return reader, writer


def _room(size: int = 4096, first: int = 0) -> ctypes.Array[ctypes.c_char]:
    room = ctypes.create_string_buffer(size)
    ctypes.c_uint.from_buffer(room).value = first
    _KEPT.append(room)
    return room


def _span() -> object:
    """One stretch of memory, as calls that move memory want it."""
    return (ctypes.c_size_t * 2)(ctypes.addressof(_room()), 16)


def _now() -> object:
    """The present time: where it may be set, nothing comes of it."""
    return (ctypes.c_long * 2)(int(time.time()), 0)


def _folder() -> int:
    return os.open(TMP, os.O_RDONLY)


_KEPT: list[object] = []  # memory that a call was told of must not go away
Arguments = tuple[object, ...]
# Arguments with which a call would succeed for one who may; the others are tried with noughts.
ARGUMENTS: dict[str, Callable[[], Arguments]] = {
    "process_vm_readv": lambda: (os.getpid(), _span(), 1, _span(), 1, 0),
    "kcmp": lambda: (os.getpid(), os.getpid(), 0, 0, 0),
    "pidfd_getfd": lambda: (os.pidfd_open(os.getpid()), 0, 0),
    "process_madvise": lambda: (os.pidfd_open(os.getpid()), _span(), 1, 20, 0),
    "io_uring_setup": lambda: (8, _room()),
    "io_setup": lambda: (8, _room()),
    "shmget": lambda: (0, 4096, 0o1600),
    "semget": lambda: (0, 1, 0o1600),
    "msgget": lambda: (0, 0o1600),
    "mq_open": lambda: (b"attack", 0o102, 0o600, None),
    "mknodat": lambda: (HERE, TMP + b"/pipe", 0o010600, 0),
    "name_to_handle_at": lambda: (HERE, TMP, _room(first=128), _room(), 0),
    "setxattr": lambda: (RESULT, b"user.attack", b"x", 1, 0),
    "lsetxattr": lambda: (RESULT, b"user.attack", b"x", 1, 0),
    "removexattr": lambda: (RESULT, b"user.attack"),
    "vmsplice": lambda: (_pipe()[1], _span(), 1, 0),
    "splice": lambda: (_pipe(full=True)[0], None, _pipe()[1], None, 1, 0),
    "tee": lambda: (_pipe(full=True)[0], _pipe()[1], 1, 0),
    "modify_ldt": lambda: (0, _room(), 16),
    "syncfs": lambda: (_folder(),),
    "personality": lambda: (0x0040000,),
    "fchownat": lambda: (HERE, RESULT, 0, 0, 0),
    "mount": lambda: (b"none", TMP, b"tmpfs", 0, None),
    "umount2": lambda: (TMP, 2),
    "pivot_root": lambda: (TMP, TMP),
    "chroot": lambda: (TMP,),
    "acct": lambda: (TMP,),
    "swapon": lambda: (TMP, 0),
    "keyctl": lambda: (1, None),
    "add_key": lambda: (b"user", b"attack", b"x", 1, -3),
    "unshare": lambda: (NEW_USER,),
    "clone": lambda: (NEW_USER | signal.SIGCHLD, 0, 0, 0, 0),
    "setns": lambda: (os.open("/proc/self/ns/net", os.O_RDONLY), 0),
    "settimeofday": lambda: (_now(), None),
    "clock_settime": lambda: (0, _now()),
    "sethostname": lambda: (b"attack", 6),
    "setdomainname": lambda: (b"attack", 6),
    "iopl": lambda: (3,),
    "ioperm": lambda: (0x80, 1, 1),
    "syslog": lambda: (3, _room(), 4096),
    "fsopen": lambda: (b"tmpfs", 0),
    "open_tree": lambda: (HERE, TMP, 1),
    "sysfs": lambda: (3,),
    "ustat": lambda: (os.stat(TMP).st_dev, _room()),  # noqa: PTH116
    "clone3": lambda: (_clone_args(NEW_USER), 64),
    "cachestat": lambda: (os.open(RESULT, os.O_WRONLY), (ctypes.c_ulong * 2)(0, 4096), _room(), 0),
    "clock_adjtime": lambda: (0, _room()),
    "adjtimex": lambda: (_room(),),
    "fspick": lambda: (HERE, TMP, 0),
    "open_tree_attr": lambda: (HERE, TMP, 1, None, 0),
    "lsm_list_modules": lambda: (_room(), _room(first=4096), 0),
    "lsm_get_self_attr": lambda: (100, _room(), _room(first=4096), 0),
}


NAMESPACES = {
    "mount": 0x20000, "cgroup": 0x2000000, "uts": 0x4000000, "ipc": 0x8000000, "user": NEW_USER,
    "pid": 0x20000000, "net": 0x40000000, "time": 0x80,
}  # fmt: skip


def _clone_args(flags: int) -> object:
    """The argument of clone3: flags, and the signal that tells of the child's end."""
    told = (ctypes.c_uint64 * 8)(flags, 0, 0, 0, signal.SIGCHLD, 0, 0, 0)
    _KEPT.append(told)
    return told


def namespaces() -> Outcome:
    """Make namespaces of every kind, alone and within one of users, in the three ways there are."""
    column = 0 if platform.machine() == "x86_64" else 1
    made = []
    for name, flag in NAMESPACES.items():
        for flags in {flag, flag | NEW_USER}:
            ways: dict[str, Arguments] = {
                "unshare": (flags,),
                "clone": (flags | signal.SIGCHLD, 0, 0, 0, 0),
                "clone3": (_clone_args(flags), 64),
            }
            made += [
                f"{name} by {way}"
                for way, arguments in ways.items()
                if (name, way) != ("time", "clone")  # there, its bit belongs to a signal's number
                and _succeeds_with(NUMBERS[way][column] or 0, arguments)
            ]
    return not made, ", ".join(made[:6]) or f"{len(NAMESPACES)} kinds in 3 ways, none made"


def calls() -> Outcome:
    """Try every call in a process of its own; those that succeed are ways on for an attacker."""
    column = 0 if platform.machine() == "x86_64" else 1
    succeeded, tried = [], 0
    for name, numbers in NUMBERS.items():
        number = numbers[column]
        if number is None:
            continue
        tried += 1
        if _succeeds(name, number):
            succeeded.append(name)
    return not succeeded, f"{', '.join(succeeded)} succeeded" if succeeded else f"{tried} calls refused"


# Numbers are the same on all processors from here on; of these calls the filter lets the named ones through:
# signals and waiting, opening and closing one's own files, giving up rights, memory that is only made stricter.
FIRST_SHARED, LAST_TRIED = 424, 1023
LET_THROUGH = frozenset({424, 434, 436, 437, 439, 441, 444, 445, 446, 449, 452, 453, 454, 455, 456, 462})


def later_calls() -> Outcome:
    """Try every newer call by its number, and those not yet invented: a filter need not know what it refuses."""
    reached = []
    for number in sorted({*range(FIRST_SHARED, LAST_TRIED + 1)} - LET_THROUGH):
        ctypes.set_errno(0)
        done = _LIBC.syscall(number, 0, 0, 0, 0, 0, 0)
        if done >= 0 or ctypes.get_errno() not in (errno.EPERM, errno.ENOSYS):
            reached.append(number)
    return (
        not reached,
        f"{reached[:6]} reached the kernel" if reached else f"none up to {LAST_TRIED} got through",
    )


def _succeeds(name: str, number: int) -> bool:
    child = os.fork()
    if child == 0:
        signal.alarm(5)
        arguments = ARGUMENTS.get(name, lambda: (0, 0, 0, 0))()
        os._exit(0 if _LIBC.syscall(number, *arguments) >= 0 else 1)
    return _ended_well(child)


def _succeeds_with(number: int, arguments: Arguments) -> bool:
    child = os.fork()
    if child == 0:
        signal.alarm(5)
        os._exit(0 if _LIBC.syscall(number, *arguments) >= 0 else 1)
    return _ended_well(child)


def _ended_well(child: int) -> bool:
    status = os.waitpid(child, 0)[1]
    return os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0


def rights() -> Outcome:
    """Have any right, be anybody else, or be able to gain rights."""
    lines = (line.partition(":") for line in Path("/proc/self/status").read_text().splitlines())
    status = {key: value.split() for key, _, value in lines}
    capabilities = [status[key] for key in status if key.startswith("Cap")]
    wrong = ["capabilities"] if not capabilities or any(int(c[0], 16) for c in capabilities) else []
    if _LIBC.prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1:
        wrong.append("new privileges are possible")
    if status.get("Seccomp") != ["2"] and not is_gvisor():
        wrong.append("no filter of system calls")
    if "0" in (*status["Uid"], *status["Gid"], *status.get("Groups", ())):
        wrong.append("root")
    filtered = "filter on" if status.get("Seccomp") == ["2"] else "gVisor in the place of a filter"
    return not wrong, ", ".join(
        wrong
    ) or f"uid {status['Uid'][0]}, no capability, {filtered}, no new privileges"


ATTACKS = {"calls": calls, "later-calls": later_calls, "namespaces": namespaces, "rights": rights}
