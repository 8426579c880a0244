"""Starting twice, starting on a full disk, starting what is not there."""

from __future__ import annotations

import os
import shutil
import subprocess
import time

import pytest

from fairnode import clock
from fairnode.cli.work import docker_engine
from fairnode.config import load_config
from fairnode.engine import Phase
from fairnode.records.rows import Dataset
from fairnode.studies.follow import follow
from fairnode.worker.delivery import deliver_own
from fairnode.worker.steps import clean_leftovers, expire, step
from tests.factories import Site, copy_site
from tests.spine.telling import approve, ask, send_study, sign, write_study

pytestmark = pytest.mark.needs_docker


@pytest.mark.parametrize("command", ["serve", "work"])
def test_a_second_start_of_the_same_node_is_refused(site, command) -> None:
    first = site.start(command)
    site.wait_for_lock({"serve": "web", "work": "worker"}[command])
    done = site.cli(command, ok=False)
    assert (done.returncode, "runs already" in done.stderr) == (5, True)
    assert first.poll() is None
    site.kill(first)
    site.start(command)


def test_a_node_is_not_made_over_another_one(site) -> None:
    before = {path: path.stat().st_mtime_ns for path in site.config.keys.iterdir()}
    told = (
        "init",
        str(site.directory),
        "--name",
        "other",
        "--url",
        "http://x.example",
        "--organisation",
        "X",
    )
    done = site.cli(*told, ok=False)
    assert (done.returncode, "node in this directory already" in done.stderr) == (5, True)
    assert {path: path.stat().st_mtime_ns for path in site.config.keys.iterdir()} == before
    assert load_config(site.directory).name != "other"


def test_a_command_where_no_node_is_says_so(site, tmp_path) -> None:
    done = site.cli("inbox", "list", env={"FAIRNODE_DIR": str(tmp_path)}, ok=False)
    assert (done.returncode, "no node in this directory" in done.stderr) == (3, True)


@pytest.fixture
def small_disk(site_template, tmp_path):
    """A node on a disk of a few megabytes. Needs root, as the demo machine and CI have."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    place = tmp_path / "disk"
    place.mkdir()
    size = sum(f.stat().st_size for f in site_template.directory.rglob("*") if f.is_file()) + (6 << 20)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)], check=False)
    if mounted.returncode:
        pytest.skip("mounting is not possible here")
    site = copy_site(site_template, place / "police")
    yield site
    site.close()
    subprocess.run(["umount", str(place)], check=True)


def fill(site: Site) -> None:
    """Write until nothing goes any more."""
    with (site.directory / "ballast").open("wb", buffering=0) as file:
        size = 1 << 20
        while size:
            try:
                file.write(b"\0" * size)
            except OSError:
                size //= 2


def test_on_a_full_disk_nothing_is_half_done_and_afterwards_it_goes_on(small_disk) -> None:
    site = small_disk
    worker = site.start("work")
    path = write_study(site)
    study = send_study(site, path)
    visit = site.wait_for_visit("waiting").id
    site.stop(worker)
    before, again = site.counts(), a_record(site)
    fill(site)
    done = site.cli("study", "cancel", study, "--because", "Full.", user="rosa", ok=False)
    assert (done.returncode, "disk" in done.stderr) == (6, True)
    assert site.cli("dataset", "check", *again, ok=False).returncode == 6
    (site.directory / "ballast").unlink()
    assert site.counts() == before
    assert approve(site, visit) == "approved"
    fill(site)
    worker = site.start("work")
    time.sleep(4)  # it tries and cannot: even its log is on the full disk
    assert worker.poll() is None
    (site.directory / "ballast").unlink()
    site.wait_for_visit("released")
    assert worker.poll() is None
    assert site.json("ledger", "verify")["problems"] == []
    site.wait_until_clean()


def a_record(site: Site) -> tuple[str, ...]:
    """The node's own record and source, as files outside the full disk."""
    outside = site.directory.parents[1]
    with site.open() as node, node.store.read() as reader:
        row = reader.get(Dataset, "police-victims")
    (outside / "record.ttl").write_bytes(row.record)
    lines = "\n".join(f'{name} = "{value}"' for name, value in row.source.items())
    (outside / "source.toml").write_text(f"[source]\n{lines}\n")
    return str(outside / "record.ttl"), "--source", str(outside / "source.toml")


def test_person_sets_that_nothing_needs_are_removed_and_waiting_profiles_keep_theirs(site) -> None:
    folder, names = site.directory / "lineages", ("waiting/nobody", "waiting/profile-1", "l/dealt/forgotten")
    old = [folder / f"{name}.parquet" for name in names]
    for path in old:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        os.utime(path, (0, 0))
    with site.open() as node:
        engine = docker_engine(node)
        clean_leftovers(node, engine)
        engine.close()
    assert [path.exists() for path in old] == [False, True, False]


def test_a_node_comes_back_from_its_backup_with_everything(story, tmp_path) -> None:
    here = Site(tmp_path / "here")  # a backup leaves a line in the ledger, and others look at the story's
    shutil.copytree(story.site.directory, here.directory)
    here.cli("backup", str(tmp_path / "backup"))
    here.cli("restore", str(tmp_path / "backup"), str(tmp_path / "again"))
    again = Site(tmp_path / "again")
    assert again.json("ledger", "verify")["problems"] == []
    assert again.cli("study", "result", story.study).stdout == here.cli("study", "result", story.study).stdout
    sets = [sorted(p.name for p in (s.directory / "lineages").rglob("*.parquet")) for s in (here, again)]
    assert sets[0] == sets[1] != []  # with which later releases are compared
    shutil.rmtree(again.directory)


def test_a_container_that_could_not_be_started_until_its_deadline_is_a_failed_visit(site) -> None:
    """An image of which the engine can start nothing would else take a place in the line for ever."""
    ask(site)
    with site.open() as node:
        deliver_own(node)
        (visit,) = site.visits()
        sign(site, visit.id)
        engine = docker_engine(node)
        for state in ("preparing", "running"):
            (visit,) = site.visits()
            assert step(node, engine, visit).state == state
        assert engine.look(visit.id).phase is Phase.CREATED
        (visit,) = site.visits()
        with node.store.write() as tx:
            late = tx.change(visit, deadline=clock.later(-1))
        after = step(node, engine, late)
        assert (after.state, engine.look(visit.id).phase) == ("failed", Phase.ABSENT)
        assert "could not be started" in after.internal
        engine.close()


def test_an_approved_visit_expires_at_its_time_and_not_when_its_turn_comes(site) -> None:
    """When its turn comes depends on how long another's container ran, and who asked for both would learn it."""
    study = ask(site)
    with site.open() as node:
        deliver_own(node)
        (visit,) = site.visits()
        sign(site, visit.id)
        deliver_own(node)
        (line,) = follow(node, study)
        assert line.state == "running"  # from the approval on, whoever is before it in the line
        (visit,) = site.visits()
        with node.store.write() as tx:
            tx.change(visit, expires=clock.later(-1))
        expire(node)
        deliver_own(node)
        (visit,) = site.visits()
        assert (visit.state, visit.internal) == ("expired", "Its turn did not come in time.")
        (line,) = follow(node, study)
        assert line.state == "not released"
