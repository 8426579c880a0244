"""Ways out over a network, or to the machine outside."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import mmap
import os
import platform
import signal
import socket

Outcome = tuple[bool, str]
FAMILIES = {
    "UNIX": 1, "INET": 2, "AX25": 3, "IPX": 4, "APPLETALK": 5, "X25": 9, "INET6": 10, "KEY": 15,
    "NETLINK": 16, "PACKET": 17, "RDS": 21, "LLC": 26, "IB": 27, "CAN": 29, "TIPC": 30, "BLUETOOTH": 31,
    "ALG": 38, "NFC": 39, "VSOCK": 40, "KCM": 41, "QIPCRTR": 42, "SMC": 43, "XDP": 44, "MCTP": 45,
}  # fmt: skip
TYPES = {"STREAM": 1, "DGRAM": 2, "RAW": 3, "SEQPACKET": 5}
ADDRESSES = (
    ("1.1.1.1", 443),
    ("169.254.169.254", 80),
    ("127.0.0.1", 2375),
    ("172.17.0.1", 22),
    ("10.0.2.2", 80),
)
SOCKET_FILES = ("/run/docker.sock", "/var/run/docker.sock", "/run/containerd/containerd.sock",
                "/run/dbus/system_bus_socket", "/run/systemd/private", "/run/podman/podman.sock")  # fmt: skip
ABSTRACT = ("\0/containerd-shim", "\0docker", "\0/tmp/.X11-unix/X0", "\0/tmp/dbus-session")
CONNECTED = (0, errno.EINPROGRESS, errno.ECONNREFUSED, errno.ECONNRESET, errno.ETIMEDOUT)


def sockets() -> Outcome:
    """Open a socket of every family and type."""
    opened, refusals = [], set()
    for family, number in FAMILIES.items():
        for kind, value in TYPES.items():
            try:
                socket.socket(number, value, 0).close()
                opened.append(f"{family}/{kind}")
            except OSError as error:
                refusals.add(errno.errorcode.get(error.errno or 0, "?"))
    told = (
        f"opened {', '.join(opened)}" if opened else f"{len(FAMILIES)} families refused: {sorted(refusals)}"
    )
    return not opened, told


def connections() -> Outcome:
    """Reach the internet, a cloud's metadata service, the host's bridge, a name server; or listen."""
    reached = [f"{host}:{port}" for host, port in ADDRESSES if _tcp(host, port)]
    if _udp("8.8.8.8", 53):
        reached.append("udp 8.8.8.8:53")
    with contextlib.suppress(OSError):
        reached += [str(found[4][0]) for found in socket.getaddrinfo("example.org", 443)]
    return not reached, f"reached {reached}" if reached else f"{len(ADDRESSES) + 2} destinations out of reach"


def _tcp(host: str, port: int) -> bool:
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as way:
            way.settimeout(1)
            return way.connect_ex((host, port)) == 0
    except OSError:
        return False


def _udp(host: str, port: int) -> bool:
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
            return way.sendto(b"x", (host, port)) > 0
    except OSError:
        return False


def hypervisor() -> Outcome:
    """Speak to the machine below over VSOCK; network namespaces do not cover it before Linux 7.0."""
    answers = []
    for port in (1, 22, 53, 80, 1024, 2375, 9999):
        try:
            with socket.socket(40, socket.SOCK_STREAM) as way:
                way.settimeout(1)
                code = way.connect_ex((2, port))
        except OSError as error:
            return True, f"no socket: {errno.errorcode.get(error.errno or 0)}"
        answers.append(errno.errorcode.get(code, str(code)))
        if code in CONNECTED:
            return False, f"port {port} of the host answered {answers[-1]}"
    return True, f"socket opened, no answer: {sorted(set(answers))}"


def neighbours() -> Outcome:
    """Connect to the sockets of the engine and of system services, by file and by abstract name."""
    reached = []
    for path in (*SOCKET_FILES, *ABSTRACT):
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as way:
                way.settimeout(1)
                way.connect(path)
                reached.append(repr(path))
        except OSError:
            pass
    return (
        not reached,
        f"reached {reached}" if reached else f"{len(SOCKET_FILES) + len(ABSTRACT)} out of reach",
    )


# mov eax, edi; mov ebx, esi; mov ecx, edx; int 0x80; ret  (with ebx, which belongs to the caller, kept)
_INT80 = bytes.fromhex("5389f889f389d1cd805bc3")
# mov rax, rdi; mov rdi, rsi; mov rsi, rdx; mov rdx, rcx; syscall; ret
_SYSCALL = bytes.fromhex("4889f84889f74889d64889ca0f05c3")


def old_calls() -> Outcome:
    """Open a socket through the 32-bit and x32 entries of the kernel, which a filter by number can miss."""
    if platform.machine() != "x86_64":
        return True, "this processor has no such entry"
    outcomes = {"int 0x80": _in_child(_int80_socket), "x32": _in_child(_x32_socket)}
    held = all(code != 0 for code in outcomes.values())
    return held, ", ".join(f"{name}: {_told(code)}" for name, code in outcomes.items())


def _told(code: int) -> str:
    if code == 0:
        return "socket opened"
    return signal.Signals(-code).name if code < 0 else "refused"


def _in_child(call: object) -> int:
    """0 when a socket opened, 1 when it was refused, -signal when the child was ended."""
    child = os.fork()
    if child == 0:
        os._exit(0 if call() >= 0 else 1)  # type: ignore[operator]
    status = os.waitpid(child, 0)[1]
    return -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def _function(code: bytes, *arguments: type) -> object:
    room = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    room.write(code)
    address = ctypes.addressof(ctypes.c_char.from_buffer(room))
    made = ctypes.CFUNCTYPE(ctypes.c_int, *arguments)(address)
    made.room = room  # type: ignore[attr-defined]
    return made


def _int80_socket() -> int:
    # socketcall reads its arguments from memory below 4 GiB, where Python's own does not lie
    low = ctypes.CDLL(None, use_errno=True).mmap
    low.restype = ctypes.c_void_p
    low.argtypes = (ctypes.c_void_p, ctypes.c_size_t, *(ctypes.c_int,) * 4)
    place = low(None, 4096, 3, 0x62, -1, 0)  # MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT
    ctypes.memmove(place, (ctypes.c_int * 3)(socket.AF_INET, socket.SOCK_STREAM, 0), 12)
    return int(_function(_INT80, ctypes.c_int, ctypes.c_int, ctypes.c_uint)(102, 1, place))  # type: ignore[operator]


def _x32_socket() -> int:
    call = _function(_SYSCALL, ctypes.c_long, ctypes.c_long, ctypes.c_long, ctypes.c_long)
    return int(call(0x40000000 + 41, socket.AF_INET, socket.SOCK_STREAM, 0))  # type: ignore[operator]


ATTACKS = {
    "sockets": sockets,
    "connections": connections,
    "hypervisor": hypervisor,
    "neighbours": neighbours,
    "old-calls": old_calls,
}
