"""What an engine must promise: it runs one container per visit, shut in, and hands over one file.

A visit goes `prepare` -> `start` -> `wait` until it ended -> `collect` -> `remove`; `kill` ends it before its
time. Every step may be repeated after a crash and then changes nothing more. The engine keeps no memory of
its own: what is so is what the engine's inspection says, never what an exception seemed to mean. How bytes
get into the container (mounted or copied) is its own affair; callers hand over paths and get bytes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from fairnode import errors

MIB = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """What one visit may use at most; the defaults hold where an approval names nothing else.

    Bytes, CPUs (1.5 is one and a half), numbers of processes and threads, seconds on the clock of the wall.
    """

    memory_bytes: int = 1024 * MIB
    cpus: float = 1.0
    pids: int = 64
    wall_seconds: int = 600
    tmp_bytes: int = 64 * MIB
    tmp_files: int = 2048
    shm_bytes: int = 8 * MIB
    output_bytes: int = 1 * MIB
    open_files: int = 256

    @property
    def file_bytes(self) -> int:
        """The largest file that can be written at all: scratch and output share one limit of the kernel."""
        return max(self.tmp_bytes, self.output_bytes)

    @property
    def cpu_seconds(self) -> int:
        """Processor time of one process, a second bound should nobody be left to watch the clock."""
        return max(2, round(2 * self.wall_seconds * max(self.cpus, 1.0)))

    def within(self, ceiling: Limits) -> Limits:
        """These limits, none above the node's `ceiling`."""
        lowest = {name: min(value, getattr(ceiling, name)) for name, value in vars(self).items()}
        return replace(self, **lowest)


@dataclass(frozen=True)
class VisitSpec:
    """All that a visit is started with.

    `visit_id` names it for good: it is also the idempotency key. `image_id` is the engine's own name of the
    image, `identity` the approved digest of its content ("sha256:..."). `entrypoint` is the full command.
    `run_json` is put at /fairnode/run.json and each file of `inputs` (name -> path on this machine) at
    /fairnode/in/<name>, both read-only. `deadline` (with a zone) is the last moment at which the container
    may still run. `runtime` names another OCI runtime of the engine, such as "runsc"; "" is its default.
    `log_bytes` keeps so much of the end of what the program prints, for `Engine.tail`; 0 keeps nothing.
    `deadly_calls` are system calls which, where the engine denies them, end the program instead of failing.
    """

    visit_id: str
    image_id: str
    identity: str
    entrypoint: tuple[str, ...]
    run_json: bytes
    inputs: Mapping[str, Path]
    deadline: datetime
    limits: Limits = field(default_factory=Limits)
    labels: Mapping[str, str] = field(default_factory=dict)
    runtime: str = ""
    log_bytes: int = 0
    deadly_calls: tuple[str, ...] = ()


class Phase(StrEnum):
    """Where a container stands."""

    ABSENT = "absent"
    CREATED = "created"
    RUNNING = "running"
    EXITED = "exited"


@dataclass(frozen=True)
class ContainerState:
    """What inspection says, times in UTC. The code is set once it exited, `finished` if it ever ran."""

    phase: Phase
    exit_code: int | None = None
    oom_killed: bool = False
    started: datetime | None = None
    finished: datetime | None = None


@dataclass(frozen=True)
class Consumption:
    """What a running container has used so far: processor seconds, and the most memory at once (bytes)."""

    cpu_seconds: float = 0.0
    peak_bytes: int = 0


@dataclass(frozen=True)
class VisitTrace:
    """A visit of this node that left something on the engine or on disk.

    `deadline` is None for files without a container, left when the machine stopped between the two.
    """

    visit_id: str
    state: ContainerState
    deadline: datetime | None


@dataclass(frozen=True)
class LoadedImage:
    """An image on the engine: its content's identity, and the engine's own name for it."""

    identity: str
    image_id: str


@dataclass(frozen=True)
class EngineReport:
    """The versions and settings that decide how well a visit is shut in.

    `runtime` is the OCI runtime of visits that name none, `runtimes` are those that the engine has. `filter` is
    the digest of our filter of system calls, so that a change of it is a change of the report.
    """

    engine: str
    engine_version: str
    runc_version: str
    containerd_version: str
    kernel_version: str
    system: str
    architecture: str
    cgroup_version: str
    storage: str
    runtimes: tuple[str, ...]
    security: tuple[str, ...]
    filter: str = ""
    runtime: str = ""


def too_old(report: EngineReport, least: Mapping[str, str]) -> tuple[errors.Finding, ...]:
    """What is older than the node's operator allows; `least` gives a version for "engine", "runc",
    "containerd" or "kernel". A version that cannot be read counts as too old. Distributions mend faults under
    an old number, so the least version is a decision of the operator and not of this program.
    """
    versions = {
        "engine": report.engine_version,
        "runc": report.runc_version,
        "containerd": report.containerd_version,
        "kernel": report.kernel_version,
    }
    return tuple(
        errors.Finding(part, f"is {versions[part] or 'unknown'}, must be {wanted} or newer")
        for part, wanted in least.items()
        if _numbers(versions[part]) < _numbers(wanted)
    )


def _numbers(version: str) -> tuple[int, ...]:
    """The leading numbers of a version: "20.10.24+dfsg1" is (20, 10, 24)."""
    return tuple(int(number) for number in re.split(r"[^0-9.]", version, maxsplit=1)[0].split(".") if number)


class Reason(StrEnum):
    """Why nothing was collected. Depends on the data: for the node's own people only."""

    NOT_ENDED = "not-ended"
    FAILED = "failed"
    OUT_OF_MEMORY = "out-of-memory"
    TOO_LATE = "too-late"
    INPUTS_CHANGED = "inputs-changed"
    NO_OUTPUT = "no-output"
    NOT_A_FILE = "not-a-file"
    TOO_LARGE = "too-large"


class NotCollected(errors.Conflict):
    """The container did not end as it must, so what it wrote is not taken."""

    code = "not-collected"
    title = "The visit left nothing that may be taken"

    def __init__(self, reason: Reason, what: str) -> None:
        super().__init__(what, to_do="The algorithm's author finds out with `fairnode algorithm try`.")
        self.reason = reason


class Engine(Protocol):
    """Runs visits. Each method raises `errors.Unavailable` when the engine does not answer."""

    def prepare(self, spec: VisitSpec) -> None:
        """Create the visit's container, compare every option with what was asked, and keep it only if equal.

        Repeating it finds the container and compares again. Raises `errors.NotFound` for an image that is
        not there, `errors.NotAllowed` for one with another content, and for a container that came out with
        other options than asked (it is removed).
        """

    def start(self, visit_id: str) -> None:
        """Compare once more and start; a container that runs or ran already is left as it is.

        Raises `errors.NotFound` when there is none: a visit that vanished is never started anew by itself.
        """

    def look(self, visit_id: str) -> ContainerState:
        """Where the visit's container stands now."""

    def used(self, visit_id: str) -> Consumption | None:
        """What the container has used until now; None when it does not run, or the engine does not say."""

    def wait(self, visit_id: str, seconds: float) -> ContainerState:
        """As `look`, as soon as a container that runs has ended, but no later than after `seconds`."""

    def collect(self, visit_id: str) -> bytes:
        """What the container wrote, if it ended with 0, in time, in its memory, and its inputs are unchanged.

        Raises `NotCollected` with the reason otherwise. May be repeated until `remove`.
        """

    def tail(self, visit_id: str) -> str:
        """The end of what the container printed, if its visit was to keep it, else "".

        It may hold records word for word: for a trial on a twin, or for this node's own people; never to leave.
        """

    def kill(self, visit_id: str) -> None:
        """End the container at once; one that is not running is left as it is."""

    def remove(self, visit_id: str) -> None:
        """Remove container, copies of the inputs and output. Nothing of the visit is left on this machine."""

    def list_visits(self) -> tuple[VisitTrace, ...]:
        """Every visit of this node that left a container or files, so that a restarted node adopts it."""

    def load_image(self, archive: Path) -> LoadedImage:
        """Check an archive, load it, and check what was loaded.

        Raises `errors.NotValid` with findings for an archive that is damaged, hostile or not fit.
        """

    def identity(self, image_id: str) -> str:
        """The identity of an image on the engine. Raises `errors.NotFound`."""

    def report(self) -> EngineReport:
        """Versions and settings of the engine at hand."""
