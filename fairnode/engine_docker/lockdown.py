"""What a visit's container is created with: the whole request to the engine, as data.

Nothing is left to the image or to the engine's defaults: no network, no capability, nothing to write to but
one file and two small memory disks, our own filter of system calls, no log. `verify` compares the same data
with what the engine made of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any

from fairnode.engine import VisitSpec

NOBODY = "65534:65534"
LABEL_NODE, LABEL_VISIT, LABEL_DEADLINE = "fairnode.node", "fairnode.visit", "fairnode.deadline"
LABEL_PROBE = "fairnode.probe"
OWN_KERNEL_RUNTIMES = ("runsc",)
OWN_KERNEL_THREADS = 256  # a kernel that runs as a program counts among the visit's threads
RUN_JSON, INPUTS, RESULT = "/fairnode/run.json", "/fairnode/in", "/fairnode/out/result"
ENVIRONMENT = {
    "HOME": "/tmp",  # noqa: S108  the container's own memory disk
    "TMPDIR": "/tmp",  # noqa: S108
    "LANG": "C.UTF-8",
    "TZ": "UTC",
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
}


@dataclass(frozen=True)
class Mount:
    """A file of this machine, as the engine sees it, at a place in the container."""

    source: Path
    target: str
    writable: bool


def container_name(node: str, visit_id: str) -> str:
    """The name of a visit's container; the engine refuses a second one, so no visit runs twice at once."""
    return f"fairnode-{node}-{visit_id}"


def container_request(
    node: str, spec: VisitSpec, mounts: tuple[Mount, ...], seccomp: str, runtime: str
) -> dict[str, Any]:
    """The body of the engine's "create container" call for a visit."""
    return {
        "Image": spec.image_id,
        "Entrypoint": list(spec.entrypoint),
        "Cmd": [],
        "User": NOBODY,
        "WorkingDir": "/",
        "Env": [f"{name}={value}" for name, value in sorted(ENVIRONMENT.items())],
        "Labels": _labels(node, spec),
        "Hostname": "visit",
        "NetworkDisabled": True,
        "AttachStdin": False,
        "AttachStdout": False,
        "AttachStderr": False,
        "OpenStdin": False,
        "StdinOnce": False,
        "Tty": False,
        "StopSignal": "SIGKILL",
        "Healthcheck": {"Test": ["NONE"]},
        "HostConfig": _host_config(spec, mounts, seccomp, runtime),
    }


def _labels(node: str, spec: VisitSpec) -> dict[str, str]:
    own = {
        LABEL_NODE: node,
        LABEL_VISIT: spec.visit_id,
        LABEL_DEADLINE: spec.deadline.astimezone(UTC).isoformat(),
    }
    return {**spec.labels, **own}


def _host_config(spec: VisitSpec, mounts: tuple[Mount, ...], seccomp: str, runtime: str) -> dict[str, Any]:
    limits = spec.limits
    return {
        "NetworkMode": "none",
        "IpcMode": "none",
        "PidMode": "",
        "UTSMode": "",
        "UsernsMode": "",
        "CgroupnsMode": "private",
        "Privileged": False,
        "PublishAllPorts": False,
        "CapDrop": ["ALL"],
        "CapAdd": None,
        "SecurityOpt": ["no-new-privileges=true", f"seccomp={seccomp}"],
        "ReadonlyRootfs": True,
        "Init": False,
        "AutoRemove": False,
        "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
        "LogConfig": _log(spec.log_bytes),
        "Runtime": runtime,
        "Memory": limits.memory_bytes,
        "MemorySwap": limits.memory_bytes,
        "NanoCpus": int(limits.cpus * 1_000_000_000),
        "PidsLimit": limits.pids + (OWN_KERNEL_THREADS if runtime in OWN_KERNEL_RUNTIMES else 0),
        "OomKillDisable": False,
        "OomScoreAdj": 500,
        "Ulimits": _ulimits(spec),
        "Tmpfs": _memory_disks(spec),
        "Mounts": [_mount(m) for m in mounts],
    }


def _log(size: int) -> dict[str, Any]:
    if not size:
        return {"Type": "none", "Config": {}}
    # One file cannot be compressed, and an engine refuses to start with both. It begins anew when it is full,
    # so a very small one would mostly be empty.
    room = str(max(size, 64 * 1024))
    return {"Type": "local", "Config": {"max-size": room, "max-file": "1", "compress": "false"}}


def _ulimits(spec: VisitSpec) -> list[dict[str, Any]]:
    limits = spec.limits
    bounds: Mapping[str, int] = {
        "core": 0,
        "cpu": limits.cpu_seconds,
        "fsize": limits.file_bytes,
        "memlock": 64 * 1024,
        "msgqueue": 0,
        "nofile": limits.open_files,
    }
    return [{"Name": name, "Soft": bound, "Hard": bound} for name, bound in bounds.items()]


def _memory_disks(spec: VisitSpec) -> dict[str, str]:
    limits = spec.limits
    closed = "noexec,nosuid,nodev,mode=1777"
    return {
        "/tmp": f"size={limits.tmp_bytes},nr_inodes={limits.tmp_files},{closed}",  # noqa: S108
        "/dev/shm": f"size={limits.shm_bytes},nr_inodes=256,{closed}",  # noqa: S108
    }


def _mount(mount: Mount) -> dict[str, Any]:
    return {
        "Type": "bind",
        "Source": str(mount.source),
        "Target": mount.target,
        "ReadOnly": not mount.writable,
        "BindOptions": {"Propagation": "rprivate"},
    }
