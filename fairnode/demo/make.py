"""Making the demo's nodes: settings, keys, people, tokens, dataset and algorithm, each at its node."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

from fairnode import errors
from fairnode.algorithms.known import submit
from fairnode.algorithms.own import keep_own
from fairnode.config import Config, Organisation, Settings
from fairnode.datasets.add import add
from fairnode.demo.members import HOME, LOCAL, PEOPLE, Member, example
from fairnode.demo.policies import GRANTING, with_policy
from fairnode.engine_docker import DockerEngine, DockerSettings
from fairnode.engine_docker.build import BASE
from fairnode.engine_docker.probe import probe
from fairnode.keys import digest
from fairnode.new_node import make_node
from fairnode.node import Node, open_node
from fairnode.people.accounts import add_person, person_of
from fairnode.people.tokens import make_token
from fairnode.share import shared
from fairnode.worker.selftest import FILE as ENGINE_TEST
from fairnode.worker.selftest import engine_key, keep_result, known_result


@dataclass(frozen=True)
class Made:
    """What all nodes of the demo share: the case files and the algorithm's image with its identity."""

    data: Path
    archive: Path
    manifest: Path
    identity: str
    engine_test: Path


def make_shared(cache: Path) -> Made:
    """The case files of the six organisations and the image of `counts`, kept for the next demo."""
    data = case_files(cache)
    built = cache / "counts"
    identity = _image(shared("algorithms") / "counts", built)
    return Made(data, built / "image.tar", built / "algorithm.toml", identity, test_engine(cache))


def case_files(cache: Path) -> Path:
    """The folder of the six case files, which are made anew only when the example has changed."""
    data = cache / "netherlands"
    note, source = data / "source.json", _fingerprint(shared("examples") / "netherlands")
    if not note.exists() or json.loads(note.read_text(encoding="utf-8")) != source:
        shutil.rmtree(data, ignore_errors=True)
        example().expand(data)
        note.write_text(json.dumps(source), encoding="utf-8")
    return data


def _image(folder: Path, built: Path) -> str:
    """The identity of the image in `built`, which is made anew only when its source has changed."""
    note, source = built / "source.json", _fingerprint(folder, shared("algorithms") / "kit", shared("docker"))
    if (built / "image.tar").exists() and note.exists():
        known = json.loads(note.read_text(encoding="utf-8"))
        if known["source"] == source:
            return str(known["identity"])
    identity = build_image(folder, built)
    note.write_text(json.dumps({"source": source, "identity": identity}), encoding="utf-8")
    return identity


def _fingerprint(*parts: Path) -> str:
    """A hash over all files that something is made from."""
    files = sorted(
        p for part in parts for p in part.rglob("*") if p.is_file() and "__pycache__" not in p.parts
    )
    return digest(b"".join(digest(path.read_bytes()).encode() for path in files))


def test_engine(cache: Path) -> Path:
    """Attack the engine once for all six nodes, as each worker would do before its first visit."""
    seccomp = shared("docker") / "seccomp.json"
    engine = DockerEngine(DockerSettings(node="demo-test", spool=cache / "sandbox", seccomp=seccomp))
    key = engine_key(engine)
    if known_result(cache, key) is None:
        keep_result(cache, key, probe(engine, BASE))
    engine.close()
    return cache / ENGINE_TEST


def build_image(folder: Path, out: Path) -> str:
    """Build an image with the script that authors use; archive and manifest go to `out`; its identity.

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
    return str(json.loads(done.stdout)["identity"])


def make_members(members: list[Member], made: Made) -> None:
    """Make all nodes, two at a time."""
    asking = next(f"{member.url}/organisation" for member in members if member.key == HOME)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        for future in [pool.submit(make_member, member, made, asking) for member in members]:
            future.result()


def make_member(member: Member, made: Made, asking: str) -> None:
    """Make one node with its people, its dataset and the algorithm; `asking` is whom two policies trust."""
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
    make_people(node, member, needed(member))
    _make_dataset(node, member, made, asking)
    keep_own(node)
    submit(node, person_of(node, "carla"), made.manifest.read_bytes(), made.archive)
    node.close()


def make_people(node: Node, member: Member, usernames: Iterable[str]) -> None:
    """An account and a token for these people."""
    for username in usernames:
        (name, role), password = PEOPLE[username], member.passwords[username]
        person = add_person(node, username, name, [role.value], password, "operator")
        file = member.token_file(username)
        file.parent.mkdir(mode=0o700, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(make_token(node, person, password, "demo", 1), encoding="utf-8")


def make_other_people(members: list[Member]) -> None:
    """The people that the story went without, for who wants to look around."""
    for member in members:
        node = open_node(member.directory)
        make_people(node, member, [u for u in member.passwords if u not in needed(member)])
        node.close()


def needed(member: Member) -> list[str]:
    """Who has a part in the story there: an account takes time, because passwords are made hard to guess."""
    people = ["carla"]  # the custodian adds the dataset
    people += ["lars"] if member.key not in GRANTING else []  # counsel decides where the policy asks
    return people + (["rosa"] if member.key in (HOME, LOCAL) else [])


def _make_dataset(node: Node, member: Member, made: Made, asking: str) -> None:
    """Add the organisation's case file with its record and its policy."""
    organisation = next(o for o in example().ORGANISATIONS if o.key == member.key)
    own = example().record(organisation, member.url)
    record = with_policy(own, member.key, member.dataset, asking, made.identity)
    source = dict(tomllib.loads(example().source(organisation))["source"])
    source["path"] = str(made.data / member.key / source["path"])
    add(node, person_of(node, "carla"), record.encode(), source)
