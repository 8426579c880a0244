"""Whose kernel it is: the machine's own, or that of a sandbox which lets programs touch none of the machine's."""

from __future__ import annotations

from pathlib import Path

Outcome = tuple[bool, str]
# What gVisor tells of itself, the same in all its versions.
GVISOR = "#1 SMP Sun Jan 10 15:06:54 PST 2016"
# Devices that gVisor makes by itself, for programs with rights that none has here.
OWN_DEVICES = frozenset({"/dev/fuse", "/dev/net/tun"})


def is_gvisor() -> bool:
    """Whether system calls are answered by gVisor's kernel, in a process of its own."""
    return GVISOR in Path("/proc/version").read_text()


def own_kernel() -> Outcome:
    """Find the machine's kernel where another was promised."""
    told = Path("/proc/version").read_text().strip()[:60]
    return is_gvisor(), f"answered by gVisor ({told})" if is_gvisor() else f"the machine's: {told}"


ATTACKS = {"own-kernel": own_kernel}
