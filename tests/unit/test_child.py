"""Child processes for heavy work: they answer, fail in words, end in time, and end with their parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fairnode import errors
from fairnode.child import Spare, run_child, sweep
from fairnode.disclosure.audit import Answer, Question, answer_from_json, question_to_json
from fairnode.disclosure.links import Links

ROOT = Path(__file__).parents[2]


def test_an_unknown_job_ends_without_an_answer_and_its_words_stay_inside(tmp_path) -> None:
    with pytest.raises(errors.Unavailable, match="ended without an answer") as refused:
        run_child("nothing", {}, spool=tmp_path)
    assert "No module named" in refused.value.internal
    assert "No module named" not in str(refused.value)
    assert list((tmp_path / "jobs").iterdir()) == []


def test_an_error_of_the_house_comes_back_as_itself(tmp_path) -> None:
    source = {"kind": "csv", "path": str(tmp_path / "none.csv"), "encoding": "utf-8", "delimiter": ",",
              "quote": '"', "sheet": "", "table": "", "dsn": ""}  # fmt: skip
    dataset = {"iri": "http://n.example/d", "title": "D", "unit": "registration", "regime": "",
               "bindings": [], "synthetic": True, "reporting": "", "years": [0, 0]}  # fmt: skip
    with pytest.raises(errors.FairnodeError) as refused:
        run_child("check_source", {"dataset": dataset, "source": source}, spool=tmp_path)
    assert str(tmp_path) not in str(refused.value)


def test_a_job_over_its_time_is_ended_with_its_process_group(tmp_path) -> None:
    began = time.monotonic()
    with pytest.raises(errors.Unavailable, match="took longer"):
        run_child("lp_audit", {}, spool=tmp_path, seconds=0.01)
    assert time.monotonic() - began < 30
    assert list((tmp_path / "jobs").iterdir()) == []


def test_a_disk_that_takes_nothing_is_told_in_words(tmp_path) -> None:
    (tmp_path / "spool").write_text("a file where a folder should be")
    with pytest.raises(errors.Unavailable, match="disk cannot be written"):
        run_child("view", {}, spool=tmp_path / "spool")


def test_what_a_killed_process_left_is_swept_and_what_is_in_use_is_not(tmp_path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path; from fairnode import child\n"
        "with child.job_folder(Path(sys.argv[1]), 'view') as folder:\n"
        "    (folder / 'job.json').write_text('secret'); print(folder, flush=True); sys.stdin.read()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    folder = Path(process.stdout.readline().strip())
    sweep(tmp_path)
    assert (folder / "job.json").exists()
    process.kill()
    process.communicate()
    assert (folder / "job.json").exists()
    sweep(tmp_path)
    assert not folder.exists()


def test_a_job_ends_when_the_process_that_waits_for_it_is_killed(tmp_path) -> None:
    fifo = tmp_path / "job.json"
    os.mkfifo(fifo)  # the job waits for its input, as it would wait for a slow disk
    code = (
        "import os, subprocess, sys, time\n"
        "python = [sys.executable, '-I', '-m', 'fairnode.jobs.crate']\n"
        "job = subprocess.Popen([*python, *sys.argv[1:], str(os.getpid())])\n"
        "print(job.pid, flush=True); time.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code, str(fifo), str(tmp_path / "result.json")],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    job = int(parent.stdout.readline())
    wait_until(lambda: Path(f"/proc/{job}/cmdline").read_bytes().count(b"crate") == 1)
    time.sleep(1.0)
    os.kill(parent.pid, signal.SIGKILL)
    parent.communicate()
    wait_until(lambda: not Path(f"/proc/{job}").exists() or ended(job))
    assert not (tmp_path / "result.json").exists()


def ended(pid: int) -> bool:
    """Whether a process is only a name in the table any more."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"


def wait_until(true) -> None:
    until = time.monotonic() + 60
    while not true():
        assert time.monotonic() < until
        time.sleep(0.1)


def test_a_job_answers(tmp_path) -> None:
    question = question_to_json(Question(Links((), ()), 11, 1.0))
    assert answer_from_json(run_child("lp_audit", question, spool=tmp_path)) == Answer(())


NO_VIEW = {"dataset": {}, "view": {}, "source": {}}


def test_a_spare_does_one_job_as_another_child_would(tmp_path) -> None:
    spare = Spare()
    with pytest.raises(errors.Unavailable, match="ended without an answer") as cold:
        run_child("view", NO_VIEW, spool=tmp_path, spare=spare)
    spare.make()
    process = spare._process
    with pytest.raises(errors.Unavailable, match="ended without an answer") as warm:
        run_child("view", NO_VIEW, spool=tmp_path, spare=spare)
    assert process.poll() is not None
    assert spare.take() is None
    assert warm.value.internal.splitlines()[-1] == cold.value.internal.splitlines()[-1]
    assert list((tmp_path / "jobs").iterdir()) == []


def test_another_kind_of_job_leaves_the_spare_alone_and_a_dead_one_is_not_used(tmp_path) -> None:
    spare, question = Spare(), question_to_json(Question(Links((), ()), 11, 1.0))
    spare.make()
    process = spare._process
    assert answer_from_json(run_child("lp_audit", question, spool=tmp_path, spare=spare)) == Answer(())
    assert process.poll() is None
    process.kill()
    process.wait()
    assert spare.take() is None
    spare.make()
    process = spare._process
    spare.end()
    assert process.poll() == 0


def test_a_spare_ends_with_the_process_that_made_it(tmp_path) -> None:
    code = (
        "import sys; from fairnode.child import Spare\n"
        "spare = Spare(); spare.make(); print(spare._process.pid, flush=True); sys.stdin.read()\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    spare = int(parent.stdout.readline())
    os.kill(parent.pid, signal.SIGKILL)
    parent.communicate()
    wait_until(lambda: not Path(f"/proc/{spare}").exists() or ended(spare))
