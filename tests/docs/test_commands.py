"""Every command that README and docs show is run, on a real node, with the placeholders of the text filled in."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from examples.netherlands import ORGANISATIONS, record
from tests.factories import DATASET, PASSWORD, ROOT, URL, Site
from tests.spine.telling import send_study, write_study
from tests.teller import run_command

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.M | re.S)
LASTING = ("serve", "work")  # they run until they are stopped
AGREED = ("network",)  # they need other organisations: see the tests of the network


def commands() -> list[tuple[str, str]]:
    """(page, command) of every line in a fenced block that calls fairnode or make; `\\` continues a line."""
    found = []
    for page in PAGES:
        for language, block in BLOCK.findall(page.read_text(encoding="utf-8")):
            if language not in ("", "sh", "console"):
                continue
            for told in block.replace("\\\n", " ").splitlines():
                line = told.removeprefix("$ ").split("  #")[0].strip()
                if line.startswith(("fairnode ", "make ")):
                    found.append((page.name, line))
    return found


COMMANDS = commands()
OURS = [(page, line) for page, line in COMMANDS if line.startswith("fairnode ")]
TARGETS = sorted({shlex.split(line)[1] for _, line in COMMANDS if line.startswith("make ")})


def test_there_are_commands_to_run() -> None:
    assert len(OURS) > 15
    assert {"demo", "test"} <= set(TARGETS)


@pytest.mark.parametrize("target", TARGETS)
def test_every_make_target_of_the_docs_is_there(target) -> None:
    assert re.search(rf"^{re.escape(target)}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)


@pytest.fixture(scope="module")
def reader(new_site, case_files, built_counts, tmp_path_factory):
    """A reader of the docs: a node, the files that the text speaks of, and what its placeholders stand for."""
    site, folder = new_site(), tmp_path_factory.mktemp("reader")
    police = next(o for o in ORGANISATIONS if o.key == "police")
    (folder / "record.ttl").write_text(record(police, URL).replace("/police-victims", "/again"))
    source = (
        f'[source]\nkind = "csv"\npath = "{case_files}/police/slachtoffers.csv"\nencoding = "windows-1252"\n'
    )
    (folder / "source.toml").write_text(source)
    for name, user in {"my": "rosa", "carla": "carla", "lars": "lars", "arjen": "arjen"}.items():
        (folder / f"{name}.token").touch(mode=0o600)
        (folder / f"{name}.token").write_text(site.token(user))
    (folder / "password").write_text(PASSWORD)
    (folder / "home").mkdir()
    worker = site.start("work")
    study = send_study(site, write_study(site))
    visit = site.wait_for_visit("waiting", study=study).id
    site.stop(worker)
    return site, folder, {
        "/srv/node": str(site.directory),
        "https://node.example/dataset/victims": DATASET,
        "3f2a91c07e55": study,
        "5d1c2f0a": visit,
        "/mnt/backup/today": str(folder / "backup"),
        "algorithms/": f"{ROOT}/algorithms/",
        "~/": f"{folder}/home/",
    }  # fmt: skip


def words_of(line: str, meant: dict[str, str]) -> list[str]:
    """The words of a command with placeholders replaced."""
    for placeholder, real in meant.items():
        line = line.replace(placeholder, real)
    return shlex.split(line)[1:]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("page", dict.fromkeys(page for page, _ in OURS))
def test_every_command_of_the_docs_does_what_it_says(reader, page) -> None:
    site, folder, meant = reader
    wrong = []
    for line in [line for told, line in OURS if told == page]:
        words = words_of(line, meant)
        if words[0] in AGREED:
            continue
        if words[0] in LASTING:
            site.stop(site.start(words[0]))
            continue
        done = run(site, folder, adapted(words, folder, Path(page).stem))
        if done.returncode and not expected(words, done.stderr):
            wrong.append(f"{line}\n{done.stdout}\n{done.stderr}")
    assert not wrong, "\n".join(wrong)


def adapted(words: list[str], folder: Path, page: str) -> list[str]:
    """What a reader would do otherwise: a node in a new folder, a password in a file, their own token."""
    if words[0] == "init":
        words[1] = str(folder / f"new-node-{page}")
    if words[:2] == ["person", "add"]:
        words[2] += f"-{page}"
    if words[:2] in (["person", "add"], ["person", "token"]):
        words += ["--password-file", str(folder / "password")]
    if words[:2] == ["study", "follow"]:
        words[-1] = "1"  # nobody approves meanwhile
    if words[:2] == ["inbox", "approve"]:
        words += ["--content", ""]  # shown and asked, as it is without the option
    if words[0] == "algorithm":
        words = ["arjen.token" if word == "my.token" else word for word in words]
    return words


def run(site: Site, folder: Path, words: list[str]) -> subprocess.CompletedProcess[str]:
    """Run it in the reader's folder; what is asked is answered with yes."""
    environment = {**os.environ, "FAIRNODE_DIR": str(site.directory), "PYTHONPATH": str(ROOT)}
    return run_command(*words, env=environment, cwd=folder, stdin="y\n" * 3)


def expected(words: list[str], said: str) -> bool:
    """Where the story of the docs runs on from another one: an end that the text itself would explain."""
    known = {
        ("study", "result"): "Nothing of this study was released",
        ("algorithm", "submit"): "known here already",
        ("inbox", "refuse"): "cannot become",
        ("dataset", "describe"): "",  # of sources of the reader's own
        ("harvest", "add"): "list of allowed addresses",
        ("harvest", "remove"): "",
        ("harvest", "run"): "",
        ("review", "show"): "no such result",
        ("review", "approve"): "no such result",
        ("review", "refuse"): "no such result",
        ("doctor",): "",
    }
    if "does not exist" in said or "in no network" in said:
        return True  # a file of the reader's own, or a network that this one node is not in
    if "--from-registry" in words:
        return "table [registry] of node.toml" in said  # off until the operator names one
    return any(tuple(words[: len(key)]) == key and told in said for key, told in known.items())
