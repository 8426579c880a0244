"""The engine's answers get lost, one by one: a visit that is asked for again comes to the same end, once."""

from __future__ import annotations

import gc
import warnings
from pathlib import Path
from uuid import uuid4

import pytest

from fairnode import errors
from fairnode.engine import Phase
from fairnode.engine_docker import DockerEngine, DockerSettings
from tests.engine.cut import Wire, whole_visit

pytestmark = pytest.mark.needs_docker
SECCOMP = Path(__file__).parents[2] / "docker/seccomp.json"
APPEND = "open('/fairnode/out/result','a').write('once ')"


@pytest.fixture
def wire(tmp_path):
    wire = Wire(tmp_path / "engine.sock")
    yield wire
    wire.close()
    with warnings.catch_warnings():  # the client library leaves its end of a cut wire open
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture
def far_engine(wire, tmp_path, engine):
    """The same engine and node as `engine`, at the end of a wire that can be cut."""
    settings = DockerSettings(
        engine.node, tmp_path / "spool", SECCOMP, address=f"unix://{tmp_path}/engine.sock"
    )
    far = DockerEngine(settings)
    yield far
    far.close()


def test_an_engine_that_is_gone_and_back_is_told_and_used(wire, far_engine, spec_of):
    spec = spec_of(APPEND)
    far_engine.prepare(spec)
    wire.cut()
    for _ in range(2):
        with pytest.raises(errors.Unavailable):
            far_engine.look(spec.visit_id)
        with pytest.raises(errors.Unavailable):
            far_engine.start(spec.visit_id)
        with pytest.raises(errors.Unavailable):
            far_engine.remove(spec.visit_id)
    wire.mend()
    assert far_engine.look(spec.visit_id).phase is Phase.CREATED


@pytest.mark.parametrize("requests", [1, 3, 4, 6, 8, 9, 10, 12])
def test_a_lost_answer_changes_nothing(wire, far_engine, spec_of, requests):
    wire.cut_after(requests)
    content, losses = whole_visit(wire, far_engine, spec_of(APPEND))
    assert (content, losses) == (b"once ", 1)


@pytest.mark.long
@pytest.mark.parametrize("requests", range(1, 25))
def test_no_lost_answer_changes_anything(wire, far_engine, spec_of, requests):
    wire.cut_after(requests)
    content, _ = whole_visit(wire, far_engine, spec_of(APPEND, uuid4().hex))
    assert content == b"once "
