"""The scripts that make an engine and images ready: quiet where all is there, else one sentence."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from uuid import uuid4

import pytest

pytestmark = pytest.mark.needs_docker
DOCKER = Path(__file__).parents[2] / "docker"


def script(name: str, *arguments: str, **environment: str):
    return subprocess.run(
        [DOCKER / name, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_engine_that_answers_is_left_as_it_is(tmp_path):
    done = script("ensure-engine.sh", str(tmp_path))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not (tmp_path / "dockerd.pid").exists()


def test_an_engine_that_we_did_not_start_is_not_stopped(tmp_path):
    stranger = subprocess.Popen(["sleep", "60"])
    (tmp_path / "dockerd.pid").write_text(str(stranger.pid))
    assert script("stop-engine.sh", str(tmp_path)).returncode == 0
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()
    assert script("ensure-engine.sh", str(tmp_path)).returncode == 0


def test_an_engine_that_others_use_is_not_stopped(tmp_path):
    (tmp_path / "engine-users").mkdir()
    (tmp_path / "engine-users" / str(os.getpid())).touch()
    (tmp_path / "dockerd.pid").write_text("999999999")
    assert script("stop-engine.sh", str(tmp_path), "1234567").returncode == 0
    assert (tmp_path / "dockerd.pid").exists()


def test_users_that_ended_without_a_word_do_not_count(tmp_path):
    (tmp_path / "engine-users").mkdir()
    (tmp_path / "engine-users" / "999999998").touch()
    (tmp_path / "dockerd.pid").write_text("999999999")
    assert script("stop-engine.sh", str(tmp_path)).returncode == 0
    assert not (tmp_path / "dockerd.pid").exists()


def test_where_no_engine_answers_one_sentence_says_what_to_do(tmp_path):
    done = script("ensure-engine.sh", str(tmp_path), DOCKER_HOST="unix:///nonexistent.sock")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "DOCKER_HOST" in done.stderr


def test_the_base_image_that_is_there_is_not_made_again(base_image):
    began = time.monotonic()
    done = script("base-image.sh")
    assert done.stdout.strip() == base_image
    assert time.monotonic() - began < 25  # making it takes half a minute on a quiet machine


def test_another_base_image_is_taken_or_missed(base_image):
    assert script("base-image.sh", BASE_IMAGE=base_image).stdout.strip() == base_image
    missed = script("base-image.sh", BASE_IMAGE="nobody/has:this")
    assert missed.returncode == 1
    assert "there is no image nobody/has:this" in missed.stderr


@pytest.mark.parametrize(
    "name",
    [
        "ensure-engine.sh",
        "ensure-package.sh",
        "stop-engine.sh",
        "with-engine.sh",
        "install-locked.sh",
        "base-image.sh",
        "base-image-by-docker.sh",
        "build-algorithm.sh",
    ],
)
def test_scripts_are_plain_shell(name):
    assert subprocess.run(["sh", "-n", DOCKER / name], check=False).returncode == 0


def layers(image: str) -> list[str]:
    """The digests of an image's layers."""
    form = "{{json .RootFS.Layers}}"
    told = subprocess.run(
        ["docker", "image", "inspect", "--format", form, image], check=True, capture_output=True
    )
    return list(json.loads(told.stdout))


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_larger_base_that_is_made_anew_has_the_same_layers():
    again = f"fairnode-test/python:{uuid4().hex[:12]}"
    first = script("base-with.sh", "fairnode/python:bookworm", PYTHON=sys.executable)
    assert first.returncode == 0, first.stderr
    try:
        second = script("base-with.sh", "fairnode/python:bookworm", NAME=again, PYTHON=sys.executable)
        assert second.returncode == 0, second.stderr
        assert second.stdout.strip() == again
        assert layers(again) == layers("fairnode/python:bookworm")
    finally:
        subprocess.run(["docker", "rmi", again], check=False, capture_output=True)
