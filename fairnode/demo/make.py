"""Making the demo's nodes: settings, keys, people, tokens, dataset and algorithm, each at its node."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

from fairnode import errors
from fairnode.algorithms.known import submit
from fairnode.config import Config, Organisation, Settings
from fairnode.datasets.add import add
from fairnode.demo.members import PEOPLE, Member, example
from fairnode.engine_docker import DockerEngine, DockerSettings
from fairnode.engine_docker.build import BASE
from fairnode.engine_docker.probe import probe
from fairnode.new_node import make_node
from fairnode.node import Node, open_node
from fairnode.people.accounts import add_person, person_of
from fairnode.people.tokens import make_token
from fairnode.share import shared
from fairnode.worker.selftest import FILE as ENGINE_TEST
from fairnode.worker.selftest import engine_key, keep_result, known_result


@dataclass(frozen=True)
class Made:
    """What all nodes of the demo share: the case files and the algorithm's image."""

    data: Path
    archive: Path
    manifest: Path
    engine_test: Path


def make_shared(cache: Path) -> Made:
    """The case files of the six organisations and the image of `counts`, kept for the next demo."""
    data = cache / "netherlands"
    if not (data / "truth.csv").exists():
        example().expand(data)
    built = cache / "counts"
    build_image(shared("algorithms") / "counts", built)
    return Made(data, built / "image.tar", built / "algorithm.toml", test_engine(cache))


def test_engine(cache: Path) -> Path:
    """Attack the engine once for all six nodes, as each worker would do before its first visit."""
    seccomp = shared("docker") / "seccomp.json"
    engine = DockerEngine(DockerSettings(node="demo-test", spool=cache / "sandbox", seccomp=seccomp))
    key = engine_key(engine)
    if known_result(cache, key) is None:
        keep_result(cache, key, probe(engine, BASE))
    engine.close()
    return cache / ENGINE_TEST


def build_image(folder: Path, out: Path) -> None:
    """Build an algorithm's image with the script that authors use; archive and manifest go to `out`.

    Raises `Unavailable` with the script's last words.
    """
    script = shared("docker") / "build-algorithm.sh"
    done = subprocess.run(
        ["sh", str(script), str(folder), "--out", str(out)],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHON": sys.executable},
    )
    if done.returncode:
        raise errors.Unavailable(
            "The image of the algorithm could not be built.",
            to_do=done.stderr.strip()[-1000:] or "Does the container engine answer? Try: docker version",
        )


def make_members(members: list[Member], made: Made) -> None:
    """Make all nodes, two at a time."""
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        for future in [pool.submit(make_member, member, made) for member in members]:
            future.result()


def make_member(member: Member, made: Made) -> None:
    """Make one node with its people, its dataset and the algorithm."""
    make_node(
        Config(
            directory=member.directory,
            name=f"demo-{member.key}-{member.port}",
            url=member.url,
            host="127.0.0.1",
            port=member.port,
            organisation=Organisation(member.name, member.kind),
            settings=replace(Settings(), release_slot=1),
            peer_port=member.peer_port,
            compute_port=member.compute_port,
        )
    )
    shutil.copyfile(made.engine_test, member.directory / ENGINE_TEST)
    node = open_node(member.directory)
    _make_people(node, member)
    _make_dataset(node, member, made)
    submit(node, person_of(node, "arjen"), made.manifest.read_bytes(), made.archive)
    node.store.close()


def _make_people(node: Node, member: Member) -> None:
    """An account, a password and a token for each role."""
    (member.directory / "tokens").mkdir(mode=0o700)
    for username, (name, role) in PEOPLE.items():
        password = member.passwords[username]
        person = add_person(node, username, name, [role.value], password, "operator")
        file = member.token_file(username)
        file.touch(mode=0o600)
        file.write_text(make_token(node, person, password, "demo", 1), encoding="utf-8")


def _make_dataset(node: Node, member: Member, made: Made) -> None:
    """Add the organisation's case file with its record."""
    organisation = next(o for o in example().ORGANISATIONS if o.key == member.key)
    record = example().record(organisation, member.url)
    source = dict(tomllib.loads(example().source(organisation))["source"])
    source["path"] = str(made.data / member.key / source["path"])
    add(node, person_of(node, "carla"), record.encode(), source)
