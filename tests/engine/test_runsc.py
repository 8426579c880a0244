"""Visits under gVisor, where the engine has it: as well shut in, and the same result."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest

from fairnode.engine import Phase
from fairnode.engine_docker import DockerEngine, DockerSettings
from fairnode.engine_docker.probe import BOMBS, QUIET_OWN_KERNEL, probe
from tests.engine.conftest import ROOT, until_ended

pytestmark = [pytest.mark.needs_docker, pytest.mark.long]
COUNTS = "import json,pathlib; pathlib.Path('/fairnode/out/result').write_text(json.dumps({'sum': sum(range(10))}))"


@pytest.fixture
def guarded(engine, tmp_path):
    """An engine whose visits run under gVisor."""
    if "runsc" not in engine.report().runtimes:
        pytest.skip("the engine at hand has no runtime runsc")
    node = "test-" + uuid4().hex[:8]
    settings = DockerSettings(node, tmp_path / "guarded", ROOT / "docker/seccomp.json", runtime="runsc")
    made = DockerEngine(settings)
    yield made
    for trace in made.list_visits():
        made.remove(trace.visit_id)
    made.close()


def test_no_probe_escapes_from_a_visit_under_gvisor(guarded, base_image):
    results = probe(guarded, base_image)
    assert [f"{r.name}: {r.figure}" for r in results if not r.held] == []
    assert {r.name for r in results} == {*QUIET_OWN_KERNEL, *BOMBS, "memory", "memory-in-children", "deaf"}
    assert guarded.report().runtime == "runsc"


def test_a_visit_under_gvisor_leaves_the_same_bytes(guarded, engine, spec_of):
    contents = set()
    for one in (engine, guarded):
        spec = replace(spec_of(COUNTS), visit_id=uuid4().hex)
        one.prepare(spec)
        one.start(spec.visit_id)
        assert until_ended(one, spec).phase is Phase.EXITED
        contents.add(one.collect(spec.visit_id))
    assert contents == {b'{"sum": 45}'}
