"""Visits on Docker, shut in as `lockdown` says and never started before `verify` has seen that it is so."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fairnode import errors
from fairnode.algorithms.archive import ArchiveLimits
from fairnode.engine import (
    Consumption,
    ContainerState,
    EngineReport,
    Limits,
    LoadedImage,
    NotCollected,
    Phase,
    Reason,
    VisitSpec,
    VisitTrace,
)
from fairnode.engine_docker import images
from fairnode.engine_docker.daemon import Daemon, state_of, unavailable
from fairnode.engine_docker.denied import deadly
from fairnode.engine_docker.lockdown import (
    LABEL_DEADLINE,
    LABEL_NODE,
    LABEL_PROBE,
    LABEL_VISIT,
    container_name,
    container_request,
)
from fairnode.engine_docker.spool import Spool
from fairnode.engine_docker.verify import differences

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\Z")


@dataclass(frozen=True)
class DockerSettings:
    """How this node uses Docker.

    `node` is a short name, part of every container's name, so that several nodes can share an engine. `spool`
    holds the visits' files; `engine_spool` is the same directory where the engine sees it under another path.
    `seccomp` is the file with the filter of system calls (docker/seccomp.json). `ceiling` bounds what any
    visit may ask for, `image_limits` what an image may be. `runtime` is the OCI runtime for visits that name
    none; `runtimes` those they may name. `most_log_bytes` is how much a visit may keep of what its program
    prints; 0, as long as the custodian did not switch it on.
    """

    node: str
    spool: Path
    seccomp: Path
    engine_spool: Path | None = None
    address: str = ""
    runtime: str = "runc"
    runtimes: tuple[str, ...] = ("runc", "runsc")
    image_limits: ArchiveLimits = field(default_factory=ArchiveLimits)
    most_log_bytes: int = 0
    ceiling: Limits = field(
        default_factory=lambda: Limits(
            memory_bytes=8 << 30, cpus=8.0, pids=512, wall_seconds=6 * 3600, tmp_bytes=4 << 30,
            tmp_files=65536, shm_bytes=256 << 20, output_bytes=16 << 20, open_files=4096,
        )
    )  # fmt: skip


class DockerEngine:
    """`fairnode.engine.Engine` on one Docker daemon; `node` and `daemon` are for those who look after it."""

    def __init__(self, settings: DockerSettings) -> None:
        if not _NAME.match(settings.node):
            raise errors.NotValid("The node's name on the engine is letters, digits, dots, '-' and '_'.")
        self.node = settings.node
        self._settings = settings
        self.daemon = Daemon(settings.address)
        self._spool = Spool(settings.spool, settings.engine_spool or settings.spool)
        self._spool.open()
        # one line: the daemon keeps and gives back exactly this text, and it is compared
        profile = json.loads(settings.seccomp.read_text(encoding="utf-8"))
        self._seccomp = json.dumps(profile, separators=(",", ":"))

    def close(self) -> None:
        """Let go of the connection to the daemon."""
        self.daemon.close()

    def prepare(self, spec: VisitSpec) -> None:
        """See `Engine.prepare`."""
        self._check(spec)
        image = self._approved_image(spec.image_id, spec.identity)
        name = container_name(self.node, spec.visit_id)
        request = self._request(spec, str(image["Id"]))
        if self.daemon.inspect(name) is None:
            self._create(name, spec, request)
        elif (self._spool.noted(spec.visit_id, "request") or {}).get("request") != request:
            raise errors.Conflict(
                "There is a container for this visit already, made for something else.",
                to_do="A changed visit gets a new id.",
            )
        self._verify(spec.visit_id)

    def _request(self, spec: VisitSpec, image_id: str) -> dict[str, Any]:
        runtime = spec.runtime or self._settings.runtime
        approved = replace(spec, image_id=image_id)
        seccomp = deadly(self._seccomp, spec.deadly_calls) if spec.deadly_calls else self._seccomp
        return container_request(self.node, approved, self._spool.mounts(spec), seccomp, runtime)

    def _create(self, name: str, spec: VisitSpec, request: dict[str, Any]) -> None:
        self._spool.lay_out(spec)
        self._spool.note(spec.visit_id, "request", {"request": request, "identity": spec.identity})
        failure = self.daemon.attempt(lambda api: api.create_container_from_config(request, name))
        if self.daemon.inspect(name) is None:
            self._spool.remove(spec.visit_id)
            raise errors.Unavailable(
                "The engine did not make the visit's container.",
                to_do="The node's operator runs `fairnode doctor`.",
                internal=repr(failure),
            )

    def _verify(self, visit_id: str) -> None:
        """Remove and refuse a container that is not exactly as asked."""
        found = self.daemon.inspect(container_name(self.node, visit_id))
        noted = self._spool.noted(visit_id, "request")
        if found is None or noted is None:
            raise errors.NotFound("The visit has no container on this engine.")
        image = self._approved_image(noted["request"]["Image"], noted["identity"])
        environment = (image.get("Config") or {}).get("Env") or ()
        findings = differences(noted["request"], found, environment)
        if findings:
            self.remove(visit_id)
            raise errors.NotAllowed(
                "The engine did not shut the container in as asked, so it was not started.",
                to_do="The node's operator runs `fairnode doctor`; the image may set something it must not.",
                findings=findings,
            )

    def start(self, visit_id: str) -> None:
        """See `Engine.start`."""
        if self.look(visit_id).phase in (Phase.RUNNING, Phase.EXITED):
            return
        self._verify(visit_id)
        name = container_name(self.node, visit_id)
        failure = self.daemon.attempt(lambda api: api.start(name))
        if self.look(visit_id).phase is Phase.CREATED:
            raise errors.Unavailable(
                "The engine did not start the visit's container.",
                to_do="The node's operator runs `fairnode doctor`.",
                internal=repr(failure),
            )

    def look(self, visit_id: str) -> ContainerState:
        """See `Engine.look`."""
        return state_of(self.daemon.inspect(container_name(self.node, visit_id)))

    def used(self, visit_id: str) -> Consumption | None:
        """See `Engine.used`."""
        return self.daemon.used(container_name(self.node, visit_id))

    def wait(self, visit_id: str, seconds: float) -> ContainerState:
        """See `Engine.wait`."""
        name = container_name(self.node, visit_id)
        self.daemon.attempt(lambda api: api.wait(name, timeout=seconds))
        return self.look(visit_id)

    def collect(self, visit_id: str) -> bytes:
        """See `Engine.collect`."""
        found = self.daemon.inspect(container_name(self.node, visit_id))
        if found is None:
            raise errors.NotFound("The visit has no container on this engine.")
        check_ended_well(state_of(found), datetime.fromisoformat(found["Config"]["Labels"][LABEL_DEADLINE]))
        self._spool.check_inputs(visit_id)
        return self._spool.harvest(visit_id)

    def tail(self, visit_id: str) -> str:
        """See `Engine.tail`."""
        name = container_name(self.node, visit_id)
        found = self.daemon.inspect(name)
        if found is None or found["HostConfig"]["LogConfig"]["Type"] == "none":
            return ""
        printed = self.daemon.ask(lambda api: api.logs(name, stdout=True, stderr=False, tail=1000))
        complaints = self.daemon.ask(lambda api: api.logs(name, stdout=False, stderr=True, tail=1000))
        # complaints come last, where they are not cut off
        kept: bytes = (printed + complaints)[-self._settings.most_log_bytes :]
        return kept.decode("utf-8", "replace")

    def kill(self, visit_id: str) -> None:
        """See `Engine.kill`."""
        name = container_name(self.node, visit_id)
        if self.look(visit_id).phase is not Phase.RUNNING:
            return
        failure = self.daemon.attempt(lambda api: api.kill(name))
        if failure is not None and self.look(visit_id).phase is Phase.RUNNING:
            raise unavailable(failure)

    def remove(self, visit_id: str) -> None:
        """See `Engine.remove`."""
        name = container_name(self.node, visit_id)
        failure = self.daemon.attempt(lambda api: api.remove_container(name, v=True, force=True))
        if self.look(visit_id).phase is not Phase.ABSENT:
            raise unavailable(failure)
        self._spool.remove(visit_id)

    def list_visits(self) -> tuple[VisitTrace, ...]:
        """See `Engine.list_visits`. A self-test that is under way is not a visit, until its deadline."""
        filters = {"label": [f"{LABEL_NODE}={self.node}"]}
        rows = self.daemon.ask(lambda api: api.containers(all=True, filters=filters))
        traces, tests = {}, set()
        for row in rows:
            visit_id = str(row["Labels"].get(LABEL_VISIT, ""))
            # An image can carry our labels, but only we give out the names.
            if "/" + container_name(self.node, visit_id) in row["Names"]:
                deadline = _deadline(row["Labels"])
                if LABEL_PROBE in row["Labels"] and deadline and datetime.now(UTC) < deadline:
                    tests.add(visit_id)
                else:
                    traces[visit_id] = VisitTrace(visit_id, self.look(visit_id), deadline)
        for visit_id in set(self._spool.visit_ids()) - tests:
            traces.setdefault(visit_id, VisitTrace(visit_id, ContainerState(Phase.ABSENT), None))
        return tuple(traces[visit_id] for visit_id in sorted(traces))

    def load_image(self, archive: Path) -> LoadedImage:
        """See `Engine.load_image`."""
        return images.load(self.daemon, archive, self._settings.image_limits)

    def identity(self, image_id: str) -> str:
        """See `Engine.identity`."""
        return images.config_of(self.daemon.image(image_id)).identity

    def report(self) -> EngineReport:
        """See `Engine.report`."""
        digest = hashlib.sha256(self._seccomp.encode()).hexdigest()
        return replace(self.daemon.report(), filter=f"sha256:{digest}", runtime=self._settings.runtime)

    def _approved_image(self, image_id: str, identity: str) -> dict[str, Any]:
        image = self.daemon.image(image_id)
        if images.config_of(image).identity != identity:
            raise errors.NotAllowed(
                "The image on the engine has another content than the one approved.",
                to_do="Load the approved image again; a changed image needs a new approval.",
            )
        return image

    def _check(self, spec: VisitSpec) -> None:
        findings = [
            errors.Finding(what, "must be letters, digits, dots, '-' and '_', at most 64, with no dot first")
            for what, name in (("visit_id", spec.visit_id), *(("inputs", name) for name in spec.inputs))
            if not _NAME.match(name)
        ]
        if min(vars(spec.limits).values()) <= 0:  # an engine takes 0 for "no limit"
            findings.append(errors.Finding("limits", "must all be above 0"))
        if spec.limits != spec.limits.within(self._settings.ceiling):
            findings.append(errors.Finding("limits", "are above what this node allows"))
        if not 0 <= spec.log_bytes <= self._settings.most_log_bytes:
            findings.append(
                errors.Finding("log_bytes", "is more than this node keeps of what a program prints")
            )
        if spec.runtime and spec.runtime not in self._settings.runtimes:
            findings.append(errors.Finding("runtime", "is not among those this node allows"))
        if not spec.entrypoint:
            findings.append(errors.Finding("entrypoint", "is empty"))
        if spec.deadline.tzinfo is None:
            findings.append(errors.Finding("deadline", "has no time zone"))
        if findings:
            raise errors.NotValid("The visit cannot be prepared.", findings=tuple(findings))


def _deadline(labels: Mapping[str, str]) -> datetime | None:
    """The deadline among the labels of a container; None where somebody else made it, without one."""
    try:
        told = datetime.fromisoformat(labels[LABEL_DEADLINE])
    except (KeyError, ValueError):
        return None
    return told if told.tzinfo else None


def check_ended_well(state: ContainerState, deadline: datetime) -> None:
    """Raise `NotCollected` unless the container ended by itself, with 0, in its memory and in time."""
    if state.phase is not Phase.EXITED:
        raise NotCollected(Reason.NOT_ENDED, "The container has not ended.")
    if state.oom_killed:
        raise NotCollected(Reason.OUT_OF_MEMORY, "The container, or a part of it, ran out of memory.")
    if state.finished is not None and state.finished > deadline.astimezone(UTC):
        raise NotCollected(Reason.TOO_LATE, "The container ended after its deadline.")
    if state.exit_code != 0:
        raise NotCollected(Reason.FAILED, f"The container ended with code {state.exit_code}.")
