"""A real engine for the tests of this folder, with a node name and a spool of its own."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from fairnode.engine import Limits, Phase, VisitSpec
from fairnode.engine_docker import DockerEngine, DockerSettings

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def base_image() -> str:
    made = subprocess.run([ROOT / "docker/base-image.sh"], check=True, capture_output=True, text=True)
    return made.stdout.strip()


@pytest.fixture
def engine(tmp_path):
    node = "test-" + uuid4().hex[:8]
    engine = DockerEngine(DockerSettings(node, tmp_path / "spool", ROOT / "docker/seccomp.json"))
    yield engine
    for trace in engine.list_visits():
        engine.remove(trace.visit_id)
    engine.close()


@pytest.fixture
def spec_of(engine, base_image):
    """A visit that runs a line of Python in the base image."""

    def make(code: str, visit_id: str = "", **changes) -> VisitSpec:
        limits = changes.pop("limits", Limits(memory_bytes=128 << 20, wall_seconds=90))
        given = {
            "image_id": base_image,
            "identity": engine.identity(base_image),
            "entrypoint": ("python3", "-c", code),
            "run_json": b"{}",
            "inputs": {},
            "deadline": datetime.now(UTC) + timedelta(seconds=90),
        }
        return VisitSpec(visit_id=visit_id or uuid4().hex, limits=limits, **{**given, **changes})

    return make


@pytest.fixture
def run(engine):
    """Prepare, start and wait; the state in which the container ended."""

    def go(spec: VisitSpec):
        engine.prepare(spec)
        engine.start(spec.visit_id)
        return until_ended(engine, spec)

    return go


def until_ended(engine, spec):
    while (state := engine.look(spec.visit_id)).phase is Phase.RUNNING:
        if datetime.now(UTC) > spec.deadline:
            engine.kill(spec.visit_id)
    return state
