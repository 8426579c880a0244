"""An engine for tests that need speed and no sandbox: the entrypoint runs as a plain process of this machine.

It keeps the promise of `fairnode.engine` in all but the containment, and refuses to be used elsewhere.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from fairnode import errors
from fairnode.algorithms.archive import read_archive
from fairnode.engine import (
    Consumption,
    ContainerState,
    EngineReport,
    LoadedImage,
    Phase,
    VisitSpec,
    VisitTrace,
)
from fairnode.engine_docker.engine import check_ended_well
from fairnode.engine_docker.spool import read_output

ROOT = Path(__file__).parents[2]


@dataclass
class _Visit:
    spec: VisitSpec
    folder: Path
    process: subprocess.Popen | None = None
    started: datetime | None = None
    finished: datetime | None = None


class ProcessEngine:
    """`images` gives, for each image ID, its identity and the folder that the image has at /opt/algorithm."""

    def __init__(self, folder: Path, images: dict[str, tuple[str, Path]]) -> None:
        if "pytest" not in sys.modules:
            raise errors.NotAllowed("This engine shuts nothing in; it is for tests only.")
        self._folder = folder
        self._images = images
        self._visits: dict[str, _Visit] = {}

    def prepare(self, spec: VisitSpec) -> None:
        if self.identity(spec.image_id) != spec.identity:
            raise errors.NotAllowed("The image on the engine has another content than the one approved.")
        if spec.visit_id in self._visits:
            return
        folder = self._folder / spec.visit_id
        for part in ("in", "out"):
            (folder / part).mkdir(parents=True)
        (folder / "out/result").touch()
        (folder / "run.json").write_bytes(spec.run_json)
        for name, path in spec.inputs.items():
            shutil.copy(path, folder / "in" / name)
        self._visits[spec.visit_id] = _Visit(spec, folder)

    def start(self, visit_id: str) -> None:
        visit = self._visits.get(visit_id)
        if visit is None:
            raise errors.NotFound("The visit has no container on this engine.")
        if visit.process is not None:
            return
        _, algorithm = self._images[visit.spec.image_id]
        command = [word.replace("/opt/algorithm", str(algorithm)) for word in visit.spec.entrypoint]
        command[0] = sys.executable if command[0] == "python3" else command[0]
        paths = f"{algorithm}:{ROOT / 'algorithms/kit'}"
        environment = {**os.environ, "FAIRNODE_ROOT": str(visit.folder), "PYTHONPATH": paths}
        visit.started = datetime.now(UTC)
        visit.process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def look(self, visit_id: str) -> ContainerState:
        visit = self._visits.get(visit_id)
        if visit is None:
            return ContainerState(Phase.ABSENT)
        if visit.process is None:
            return ContainerState(Phase.CREATED)
        code = visit.process.poll()
        if code is None:
            return ContainerState(Phase.RUNNING, started=visit.started)
        visit.finished = visit.finished or datetime.now(UTC)
        code = 128 - code if code < 0 else code
        return ContainerState(Phase.EXITED, code, started=visit.started, finished=visit.finished)

    def used(self, visit_id: str) -> Consumption | None:
        visit = self._visits.get(visit_id)
        return None if visit is None or visit.process is None else Consumption()

    def collect(self, visit_id: str) -> bytes:
        state = self.look(visit_id)
        if state.phase is Phase.ABSENT:
            raise errors.NotFound("The visit has no container on this engine.")
        visit = self._visits[visit_id]
        check_ended_well(state, visit.spec.deadline)
        return read_output(visit.folder / "out/result", visit.spec.limits.output_bytes)

    def tail(self, visit_id: str) -> str:
        assert visit_id
        return ""

    def kill(self, visit_id: str) -> None:
        visit = self._visits.get(visit_id)
        if visit is not None and visit.process is not None and visit.process.poll() is None:
            visit.process.kill()
            visit.process.wait()

    def remove(self, visit_id: str) -> None:
        self.kill(visit_id)
        visit = self._visits.pop(visit_id, None)
        if visit is not None:
            shutil.rmtree(visit.folder)

    def list_visits(self) -> tuple[VisitTrace, ...]:
        return tuple(VisitTrace(i, self.look(i), v.spec.deadline) for i, v in sorted(self._visits.items()))

    def load_image(self, archive: Path) -> LoadedImage:
        machine = {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine]
        identity = read_archive(archive, machine).identity
        return LoadedImage(identity, identity)

    def identity(self, image_id: str) -> str:
        if image_id not in self._images:
            raise errors.NotFound("The image of the algorithm is not on this engine.")
        return self._images[image_id][0]

    def report(self) -> EngineReport:
        return EngineReport("process", "", "", "", os.uname().release, "", "", "", "", (), ())
