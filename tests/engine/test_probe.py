"""The self-test: it finds nothing under the lockdown, and finds a lot where there is none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

import docker
from fairnode.engine_docker.lockdown import LABEL_PROBE
from fairnode.engine_docker.probe import PROGRAM, QUIET, pack, probe

pytestmark = pytest.mark.needs_docker


def test_no_probe_escapes_from_a_visit_on_this_engine(engine, base_image):
    results = probe(engine, base_image)
    assert [f"{r.name}: {r.figure}" for r in results if not r.held] == []
    assert {r.name for r in results} == {*QUIET, "memory", "memory-in-children", "deaf"}
    assert engine.list_visits() == ()


LIAR = """#!/bin/sh
printf '{"attacks":[{"name":"sockets","held":true,"figure":""}]}' >/fairnode/out/result
"""


@pytest.fixture
def lying_image(base_image, tmp_path) -> Iterator[str]:
    """An image whose python3 says that it was held, whatever it is given to run."""
    (tmp_path / "python3").write_text(LIAR)
    (tmp_path / "python3").chmod(0o755)
    (tmp_path / "Dockerfile").write_text(f"FROM {base_image}\nCOPY python3 /usr/local/bin/python3\n")
    client, name = docker.from_env(), f"fairnode/liar:{uuid4().hex[:12]}"
    client.images.build(path=str(tmp_path), tag=name, rm=True, network_mode="none")
    yield name
    client.images.remove(name)
    client.close()


def test_an_image_whose_python_tells_nothing_does_not_pass(engine, lying_image):
    held = {result.name for result in probe(engine, lying_image) if result.held}
    assert held == {"sockets"}


def test_a_worker_beside_a_self_test_does_not_see_it_as_a_visit(engine, spec_of):
    marked = replace(spec_of("import time; time.sleep(60)"), labels={LABEL_PROBE: "yes"})
    engine.prepare(marked)
    assert engine.list_visits() == ()
    late = replace(
        spec_of("pass"), labels={LABEL_PROBE: "yes"}, deadline=datetime.now(UTC) - timedelta(seconds=1)
    )
    engine.prepare(late)
    assert [trace.visit_id for trace in engine.list_visits()] == [late.visit_id]
    engine.remove(marked.visit_id)


def test_the_packed_attacks_are_the_same_every_time(tmp_path):
    assert pack(tmp_path / "a").read_bytes() == pack(tmp_path / "b").read_bytes()


@pytest.fixture
def open_container(base_image, tmp_path) -> Iterator:
    """Runs attacks in a container with the engine's defaults and root in it."""
    client = docker.APIClient()
    pack(tmp_path / PROGRAM)
    (tmp_path / "records.parquet").write_bytes(b"x")
    mounts = [
        f"{tmp_path}/{PROGRAM}:/fairnode/in/{PROGRAM}:ro",
        f"{tmp_path}/records.parquet:/fairnode/in/r.parquet",
    ]
    made = []

    def attacked(*names: str) -> dict[str, bool]:
        host = client.create_host_config(binds=mounts, mem_limit=256 << 20)
        command = ["sh", "-c", f"rm /fairnode/out/result; python3 /fairnode/in/{PROGRAM} {' '.join(names)}"]
        container = client.create_container(base_image, command, host_config=host)["Id"]
        made.append(container)
        client.start(container)
        client.wait(container)
        lines = client.logs(container, stderr=False).decode().splitlines()
        return {told["name"]: told["held"] for told in map(json.loads, lines)}

    yield attacked
    for container in made:
        client.remove_container(container, force=True)
    client.close()


@pytest.mark.parametrize(
    "names",
    [
        ("sockets", "old-calls", "rights", "everywhere", "data", "output"),
        # its sync() takes as long as the machine has unwritten pages
        pytest.param(("calls", "borrowed-rights", "open-files"), marks=pytest.mark.long),
    ],
    ids=["quick", "slow"],
)
def test_the_probes_see_that_a_container_with_defaults_is_open(open_container, names):
    seen = open_container(*names, "honest")
    assert seen.pop("honest")
    assert set(seen) == set(names)
    assert not any(seen.values()), seen
