"""Real nodes for tests: one template is made once, then copied; web and worker run as processes of their own."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import tomllib
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import docker
from examples.netherlands import ORGANISATIONS, record, source
from fairnode.algorithms.known import load_received, submit
from fairnode.cli.work import docker_engine
from fairnode.config import FILE, Config, Organisation, Settings, load_config, write_config
from fairnode.datasets.add import add
from fairnode.demo.members import PEOPLE, free_ports
from fairnode.engine_docker.lockdown import LABEL_NODE
from fairnode.engine_docker.probe import probe
from fairnode.new_node import make_node
from fairnode.node import Node, open_node
from fairnode.people.accounts import add_person, person_of
from fairnode.people.tokens import make_token
from fairnode.profiles.twin import draw
from fairnode.records.rows import Algorithm, Follow, LedgerLine, Message, Study, Visit
from fairnode.store.tables import TABLES
from fairnode.worker.selftest import check_engine
from tests.teller import run_command

ROOT = Path(__file__).parents[1]
PASSWORD = "correct horse battery staple"
URL = "http://police.example"
DATASET = f"{URL}/dataset/police-victims"
PURPOSE = "https://w3id.org/fairnode/policy#TraffickingStatistics"


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Only one test process of this run makes what is shared; the others wait and find it made."""
    with (folder / "shared.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@dataclass
class Site:
    """A node in a directory, with a token file for each of its people, and its running processes."""

    directory: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    study: str = ""
    visit: str = ""

    @property
    def config(self) -> Config:
        """The node's settings."""
        return load_config(self.directory)

    @property
    def address(self) -> str:
        """Where its web process listens."""
        return f"http://127.0.0.1:{self.config.port}"

    def token_file(self, user: str) -> Path:
        """The file with a person's token."""
        return self.directory / "tokens" / user

    def token(self, user: str) -> str:
        """A person's token."""
        return self.token_file(user).read_text(encoding="utf-8")

    @contextmanager
    def open(self) -> Iterator[Node]:
        """The node, opened for a moment."""
        node = open_node(self.directory)
        try:
            yield node
        finally:
            node.close()

    def cli(
        self, *arguments: str, user: str = "", ok: bool = True, env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of the node as a person would; with `ok` it has to end with success.

        In a fork of a process that has loaded fairnode (`teller`).
        """
        who = {"FAIRNODE_TOKEN_FILE": str(self.token_file(user))} if user else {}
        told = {**os.environ, "FAIRNODE_DIR": str(self.directory), **who, **(env or {})}
        done = run_command(*arguments, env=told, cwd=self.directory)
        assert "Traceback" not in done.stderr, done.stderr
        assert not ok or done.returncode == 0, f"{arguments}: {done.stdout} {done.stderr}"
        return done

    def json(self, *arguments: str, user: str = "") -> Any:
        """What a command prints with --json."""
        return json.loads(self.cli(*arguments, "--json", user=user).stdout)

    def start(self, command: str, *, module: str = "fairnode", **env: str) -> subprocess.Popen[bytes]:
        """Start `serve` or `work`; a web process is waited for until it answers."""
        with (self.directory / f"{command}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", module, command, "--dir", str(self.directory)],
                env={**os.environ, **env},
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.processes.append(process)
        if command == "serve":
            self.wait_for_web(process)
        return process

    def wait_for_web(self, process: subprocess.Popen[bytes], seconds: float = 180.0) -> None:
        """Wait until the web process answers."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            assert process.poll() is None, (self.directory / "serve.log").read_text(encoding="utf-8")
            try:
                with urllib.request.urlopen(f"{self.address}/healthz", timeout=5):
                    return
            except OSError:
                time.sleep(0.1)
        raise AssertionError("the web process does not answer")

    def stop(self, process: subprocess.Popen[bytes]) -> None:
        """End a process politely, then not."""
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """As if the power went: kill -9."""
        process.kill()
        process.wait()

    def close(self) -> None:
        """End what runs, and leave no container behind."""
        for process in self.processes:
            self.stop(process)
        for container in self.containers():
            container.remove(force=True)

    def containers(self) -> list[Any]:
        """Every container that carries this node's label."""
        client = docker.from_env()
        try:
            label = {"label": f"{LABEL_NODE}={self.config.name}"}
            return list(client.containers.list(all=True, filters=label, ignore_removed=True))
        finally:
            client.close()

    def ledger_size(self) -> int:
        """How many lines the ledger has, once the node's messages to itself are taken."""
        self.wait_for_own_messages()
        with self.open() as node, node.store.read() as reader:
            return reader.count(LedgerLine)

    def counts(self) -> dict[str, int]:
        """How many rows each table has, once its messages to itself are taken: what a refusal must not move."""
        self.wait_for_own_messages()
        with self.open() as node, node.store.read() as reader:
            return {table.name: reader.count(kind) for kind, table in TABLES.items()}

    def wait_for_own_messages(self) -> None:
        """Return when no message of the node to itself waits, or nobody runs who would take it."""
        while any(process.poll() is None for process in self.processes) and self.has_messages():
            time.sleep(0.05)

    def has_messages(self) -> bool:
        """Whether a message of the node to itself waits for its worker."""
        with self.open() as node, node.store.read() as reader:
            return reader.count(Message, receiver=node.iri, taken="") > 0

    def visits(self) -> list[Visit]:
        """All visits, oldest first."""
        with self.open() as node, node.store.read() as reader:
            return reader.find(Visit, order="created")

    def wait_for_visit(self, *states: str, study: str = "", seconds: float = 240.0) -> Visit:
        """The visit (of a study) once it is in one of these states."""
        until, found = time.monotonic() + seconds, None
        while time.monotonic() < until:
            found = next((v for v in self.visits() if study in ("", v.study)), None)
            if found and found.state in states:
                return found
            time.sleep(0.05)
        log = self.directory / "work.log"
        told = log.read_text(encoding="utf-8")[-3000:] if log.exists() else ""
        raise AssertionError(f"no visit became {states}: {found}\n{told}")

    def wait_until_finished(self, study: str, seconds: float = 240.0) -> None:
        """Wait until a study that was sent from here is over."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            with self.open() as node, node.store.read() as reader:
                if (found := reader.get(Study, study)) and found.state == "finished":
                    return
            time.sleep(0.1)
        raise AssertionError(f"the study did not finish: {(self.directory / 'work.log').read_text()[-3000:]}")

    def wait_for_line(self, sentence: str, seconds: float = 180.0) -> Follow:
        """The home node's line about a visit, once it says this."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            with self.open() as node, node.store.read() as reader:
                found = reader.find(Follow, {"sentence": sentence})
            if found:
                return found[0]
            time.sleep(0.05)
        raise AssertionError(f"the home node was never told: {sentence}")

    def wait_for_words(self, log: str, words: str, seconds: float = 180.0) -> str:
        """What a process said, once these words are in it."""
        until, told = time.monotonic() + seconds, ""
        while words not in told:
            assert time.monotonic() < until, told
            time.sleep(0.1)
            told = (self.directory / log).read_text(encoding="utf-8")
        return told

    def wait_for_lock(self, what: str, seconds: float = 180.0) -> None:
        """Wait until a process of the node holds its lock."""
        path, until = self.directory / f"{what}.lock", time.monotonic() + seconds
        while time.monotonic() < until:
            if path.exists():
                with path.open("r") as file:
                    try:
                        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                    except OSError:
                        return
            time.sleep(0.1)
        raise AssertionError(f"nobody holds the lock '{what}'")

    def wait_until_clean(self, seconds: float = 120.0) -> None:
        """Wait until the worker has tidied up: no container and no file of a visit is left."""
        until = time.monotonic() + seconds
        while (left := [*self.containers(), *self.plaintext()]) and time.monotonic() < until:
            time.sleep(0.2)
        assert not left

    def plaintext(self) -> list[str]:
        """Files under the spool that a visit or a job left: there should be none."""
        spool = self.config.spool  # of a node at work: what is walked over may go meanwhile
        found = (Path(folder, name) for folder, _, names in os.walk(spool) for name in names)
        return [str(p.relative_to(spool)) for p in found if p.is_file() and p.suffix != ".lock"]


def make_template(folder: Path, data: Path, counts: Path) -> Site:
    """A node of the police with its people, its case file and the algorithm `counts`, known."""
    site = Site(folder)
    settings = replace(Settings(), release_slot=1, rehearse=False)  # tests/rehearse switches it on
    organisation = next(o for o in ORGANISATIONS if o.key == "police")
    make_node(
        Config(folder, "template", URL, "127.0.0.1", 1, Organisation("National Police", "police"), settings)
    )
    with site.open() as node:
        add_people(node, folder)
        told = dict(tomllib.loads(source(organisation))["source"])
        told["path"] = str(data / "police" / told["path"])
        draw(node, add(node, person_of(node, "carla"), record(organisation, URL).encode(), told))
        add_algorithm(node, counts)
    return site


def add_people(node: Node, folder: Path) -> None:
    """An account and a token for each role; they share a password."""
    (folder / "tokens").mkdir(mode=0o700)
    for user, (name, role) in PEOPLE.items():
        person = add_person(node, user, name, [role.value], PASSWORD)
        file = folder / "tokens" / user
        file.touch(mode=0o600)
        file.write_text(make_token(node, person, PASSWORD, "tests"), encoding="utf-8")


def add_algorithm(node: Node, built: Path) -> Algorithm:
    """Submit what the builder left in a folder, give the image to the engine, and see that the engine holds.

    What the engine's test found is kept with the node, so that copies need not attack it again.
    """
    author, manifest = person_of(node, "arjen"), (built / "algorithm.toml").read_bytes()
    row = submit(node, author, manifest, built / "image.tar")
    engine = docker_engine(node)
    load_received(node, engine)
    check_engine(node, engine, node.config.settings.base_image, probe)
    engine.close()
    with node.store.read() as reader:
        known = reader.get(Algorithm, row.id)
    assert known is not None
    assert known.state == "known"
    return known


def copy_site(template: Site, folder: Path) -> Site:
    """The same node once more, with a port and a name of its own on the engine."""
    shutil.copytree(template.directory, folder, ignore=shutil.ignore_patterns("*.lock", "*.log"))
    folder.chmod(0o700)
    for name in ("tls.crt", "tls.key"):  # for other nodes; this one has no network, and serves plain HTTP
        (folder / "keys" / name).unlink(missing_ok=True)
    before = load_config(folder)
    (folder / FILE).unlink()
    write_config(replace(before, name=f"t-{uuid4().hex[:10]}", port=free_ports(1)[0]))
    return Site(folder)
