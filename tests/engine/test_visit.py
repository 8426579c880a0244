"""The steps of a visit on a real engine, each of which may be repeated."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from fairnode import errors
from fairnode.engine import Limits, NotCollected, Phase, Reason
from fairnode.engine_docker import DockerEngine, DockerSettings
from fairnode.engine_docker.lockdown import LABEL_DEADLINE, LABEL_NODE, LABEL_VISIT, container_name

pytestmark = pytest.mark.needs_docker

SECCOMP = Path(__file__).parents[2] / "docker/seccomp.json"
WRITE = "open('/fairnode/out/result','w').write('{}')"


def test_a_visit_reads_its_inputs_and_leaves_one_file(run, engine, spec_of, tmp_path):
    records = tmp_path / "records.parquet"
    records.write_bytes(b"rows")
    spec = spec_of(
        "open('/fairnode/out/result','wb').write(open('/fairnode/in/records.parquet','rb').read()"
        " + open('/fairnode/run.json','rb').read())",
        inputs={"records.parquet": records},
        run_json=b"[1]",
    )
    state = run(spec)
    assert (state.phase, state.exit_code, state.oom_killed) == (Phase.EXITED, 0, False)
    assert engine.collect(spec.visit_id) == b"rows[1]"


def test_every_step_may_be_repeated(engine, run, spec_of):
    spec = spec_of(WRITE)
    engine.prepare(spec)
    engine.prepare(spec)
    assert engine.look(spec.visit_id).phase is Phase.CREATED
    first = run(spec)
    engine.start(spec.visit_id)
    engine.prepare(spec)
    assert engine.look(spec.visit_id) == first
    assert engine.collect(spec.visit_id) == engine.collect(spec.visit_id) == b"{}"
    for _ in range(2):
        engine.kill(spec.visit_id)
    for _ in range(2):
        engine.remove(spec.visit_id)
    assert engine.look(spec.visit_id).phase is Phase.ABSENT


def test_after_remove_nothing_of_the_visit_is_left(engine, run, spec_of, tmp_path):
    secret = tmp_path / "records.parquet"
    secret.write_bytes(b"rows")
    spec = spec_of(WRITE, inputs={"records.parquet": secret})
    run(spec)
    assert list((tmp_path / "spool").rglob("records.parquet"))
    engine.remove(spec.visit_id)
    assert list((tmp_path / "spool").iterdir()) == []
    assert engine.list_visits() == ()


def test_several_threads_share_one_engine(engine, spec_of):
    def visit(number: int) -> bytes:
        spec = spec_of(f"open('/fairnode/out/result','w').write('{number}')")
        engine.prepare(spec)
        engine.start(spec.visit_id)
        while engine.look(spec.visit_id).phase is Phase.RUNNING:
            pass
        content = engine.collect(spec.visit_id)
        engine.remove(spec.visit_id)
        return content

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(visit, range(6))) == [str(number).encode() for number in range(6)]


def test_a_vanished_visit_is_not_started_anew(engine, run, spec_of):
    spec = spec_of(WRITE)
    engine.prepare(spec)
    engine.remove(spec.visit_id)
    with pytest.raises(errors.NotFound):
        engine.start(spec.visit_id)


@pytest.mark.parametrize(
    ("code", "limits", "reason"),
    [
        (WRITE + "; raise SystemExit(1)", {}, Reason.FAILED),
        ("pass", {}, Reason.NO_OUTPUT),
        ("open('/fairnode/out/result','w').write('x'*5000)", {"output_bytes": 4096}, Reason.TOO_LARGE),
        (WRITE + "; b = bytearray(1 << 30)", {}, Reason.OUT_OF_MEMORY),
    ],
)
def test_nothing_is_taken_from_a_container_that_did_not_end_well(engine, run, spec_of, code, limits, reason):
    spec = spec_of(code, limits=Limits(memory_bytes=64 << 20, **limits))
    run(spec)
    with pytest.raises(NotCollected) as caught:
        engine.collect(spec.visit_id)
    assert caught.value.reason is reason


def test_a_container_past_its_deadline_is_killed_and_its_output_left(engine, run, spec_of):
    spec = spec_of(WRITE + "; import time; time.sleep(60)", deadline=datetime.now(UTC) + timedelta(seconds=1))
    run(spec)
    with pytest.raises(NotCollected) as caught:
        engine.collect(spec.visit_id)
    assert caught.value.reason in (Reason.TOO_LATE, Reason.FAILED)


def test_an_entrypoint_that_is_not_in_the_image_is_a_failure_of_the_algorithm(engine, run, spec_of):
    spec = spec_of("", entrypoint=("nothing-there",))
    assert run(spec).exit_code == 127
    engine.start(spec.visit_id)
    with pytest.raises(NotCollected) as caught:
        engine.collect(spec.visit_id)
    assert caught.value.reason is Reason.FAILED


def test_the_same_visit_cannot_be_prepared_for_something_else(engine, spec_of):
    spec = spec_of(WRITE)
    engine.prepare(spec)
    with pytest.raises(errors.Conflict):
        engine.prepare(replace(spec, entrypoint=("true",)))
    assert engine.look(spec.visit_id).phase is Phase.CREATED


def test_a_full_disk_leaves_nothing_behind(engine, spec_of, tmp_path):
    with pytest.raises(errors.Unavailable):
        engine.prepare(spec_of(WRITE, inputs={"records.parquet": tmp_path / "not-there"}))
    assert engine.list_visits() == ()
    assert list((tmp_path / "spool").iterdir()) == []


def test_files_without_a_container_are_found_after_a_crash(engine, spec_of, tmp_path):
    spec = spec_of(WRITE)
    engine.prepare(spec)
    engine.daemon.ask(lambda api: api.remove_container(f"fairnode-{engine.node}-{spec.visit_id}"))
    (trace,) = engine.list_visits()
    assert (trace.visit_id, trace.state.phase, trace.deadline) == (spec.visit_id, Phase.ABSENT, None)
    engine.prepare(spec)
    assert engine.look(spec.visit_id).phase is Phase.CREATED


def test_what_a_program_prints_is_kept_only_where_the_node_allows_it(engine, run, spec_of, tmp_path):
    talk = "import sys; print('secret'); raise SystemExit('why it failed')"
    silent = spec_of(talk)
    run(silent)
    assert engine.tail(silent.visit_id) == ""
    with pytest.raises(errors.NotValid):
        engine.prepare(spec_of(talk, log_bytes=1))


def test_the_end_of_what_a_program_prints_helps_its_author(base_image, tmp_path, spec_of):
    settings = DockerSettings(f"tail-{uuid4().hex[:8]}", tmp_path / "tail", SECCOMP, most_log_bytes=4096)
    with closing(DockerEngine(settings)) as engine:
        spec = spec_of("print('x' * 10_000); raise SystemExit('why it failed')", log_bytes=4096)
        engine.prepare(spec)
        engine.start(spec.visit_id)
        while engine.look(spec.visit_id).phase is Phase.RUNNING:
            pass
        assert engine.tail(spec.visit_id).rstrip().endswith("why it failed")
        assert len(engine.tail(spec.visit_id)) <= 4096
        engine.remove(spec.visit_id)
        assert engine.tail(spec.visit_id) == ""


def test_a_running_container_gives_nothing_yet(engine, spec_of):
    spec = spec_of("import time; time.sleep(60)")
    engine.prepare(spec)
    engine.start(spec.visit_id)
    with pytest.raises(NotCollected) as caught:
        engine.collect(spec.visit_id)
    assert caught.value.reason is Reason.NOT_ENDED


def test_inputs_that_changed_during_the_visit_are_noticed(engine, run, spec_of, tmp_path):
    records = tmp_path / "records.parquet"
    records.write_bytes(b"rows")
    spec = spec_of(WRITE, inputs={"records.parquet": records})
    run(spec)
    (copy,) = (tmp_path / "spool").rglob("records.parquet")
    copy.chmod(0o600)
    copy.write_bytes(b"rowS")
    with pytest.raises(NotCollected) as caught:
        engine.collect(spec.visit_id)
    assert caught.value.reason is Reason.INPUTS_CHANGED


def test_an_image_with_another_content_than_approved_is_refused(engine, spec_of):
    spec = spec_of(WRITE)
    with pytest.raises(errors.NotAllowed):
        engine.prepare(type(spec)(**{**vars(spec), "identity": "sha256:" + "0" * 64}))
    assert engine.look(spec.visit_id).phase is Phase.ABSENT


def test_an_image_that_is_not_there_is_said_so(engine, spec_of):
    spec = spec_of(WRITE)
    with pytest.raises(errors.NotFound):
        engine.prepare(type(spec)(**{**vars(spec), "image_id": "sha256:" + "0" * 64}))


def test_a_restarted_node_finds_its_visits_with_their_deadlines(engine, spec_of):
    spec = spec_of("import time; time.sleep(60)")
    engine.prepare(spec)
    engine.start(spec.visit_id)
    (trace,) = engine.list_visits()
    assert trace.visit_id == spec.visit_id
    assert trace.deadline == spec.deadline
    assert trace.state.phase is Phase.RUNNING


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", ".hidden", "a b", "", "x" * 65, "a\n"])
def test_names_that_could_lead_elsewhere_are_refused(engine, spec_of, tmp_path, name):
    file = tmp_path / "f"
    file.write_text("x")
    with pytest.raises(errors.NotValid):
        engine.prepare(spec_of(WRITE, inputs={name: file}))


def test_limits_above_the_nodes_are_refused(engine, spec_of):
    with pytest.raises(errors.NotValid):
        engine.prepare(spec_of(WRITE, limits=Limits(memory_bytes=1 << 50)))


@pytest.mark.parametrize("name", [field.name for field in fields(Limits)])
def test_a_limit_of_nought_is_no_limit_and_refused(engine, spec_of, name):
    for value in (0, -1):
        with pytest.raises(errors.NotValid):
            engine.prepare(spec_of(WRITE, limits=replace(Limits(), **{name: value})))


def test_an_engine_that_does_not_answer_is_said_so(tmp_path):
    settings = DockerSettings("n", tmp_path, SECCOMP, address="unix:///nonexistent.sock")
    with pytest.raises(errors.Unavailable):
        DockerEngine(settings).look("v")


@pytest.mark.parametrize("deadline", ["", "tomorrow", "2030-01-01T00:00:00"])
def test_a_container_of_our_name_that_somebody_made_by_hand_is_found_and_removed(
    engine, base_image, deadline
):
    labels = {LABEL_NODE: engine.node, LABEL_VISIT: "orphan"} | (
        {LABEL_DEADLINE: deadline} if deadline else {}
    )
    made = {"Image": base_image, "Cmd": ["sleep", "60"], "Labels": labels}
    name = container_name(engine.node, "orphan")
    engine.daemon.ask(lambda api: api.create_container_from_config(made, name))
    (trace,) = engine.list_visits()
    assert (trace.visit_id, trace.deadline) == ("orphan", None)
    engine.remove(trace.visit_id)
    assert engine.list_visits() == ()
