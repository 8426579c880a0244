"""All cases, and what they are run against."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from fairnode.engine_docker import DockerEngine, DockerSettings
from fairnode.engine_docker.probe import PROGRAM, pack
from fairnode.errors import FairnodeError
from tests.hostile import containment, harvest, images, leaks, lost, numbers, outputs, parcels, places
from tests.hostile.case import CASES, ROOT, Case, Outcome, Target, Verdict

MODULES = (
    images,
    parcels,
    places,
    containment,
    outputs,
    harvest,
    leaks,
    lost,
    numbers,
)  # each adds its cases when it is imported


def target_on(folder: Path) -> Target:
    """This node's engine, under a name of its own, with scratch in `folder`."""
    made = subprocess.run([ROOT / "docker/base-image.sh"], check=True, capture_output=True, text=True)
    settings = DockerSettings(f"hostile-{uuid4().hex[:8]}", folder / "spool", ROOT / "docker/seccomp.json")
    engine = DockerEngine(settings)
    return Target(engine, made.stdout.strip(), pack(folder / PROGRAM), folder)


def run_case(case: Case, target: Target) -> Outcome:
    """Carry out one case in a folder of its own; no visit of it is left afterwards."""
    folder = target.folder / uuid4().hex
    folder.mkdir()
    try:
        return case.run(replace(target, folder=folder))
    except (FairnodeError, ValueError, LookupError, TypeError, OSError, RecursionError) as error:
        return Outcome(Verdict.ESCAPED, f"neither held nor refused: {error!r}")
    finally:
        for trace in target.engine.list_visits():
            target.engine.remove(trace.visit_id)
        shutil.rmtree(folder)


__all__ = ["CASES", "MODULES", "run_case", "target_on"]
