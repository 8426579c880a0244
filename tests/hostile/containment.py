"""Cases 16-41: what an approved but hostile image tries while it runs."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic

import docker
from fairnode import errors
from fairnode.engine import ContainerState, Limits, NotCollected, Phase, Reason, VisitSpec
from fairnode.engine_docker.lockdown import Mount, container_name, container_request
from fairnode.engine_docker.probe import LIMITS, attack_spec, run
from fairnode.engine_docker.verify import differences
from tests.hostile.case import Outcome, Target, case, contained, refused

SMALL = Limits(memory_bytes=64 << 20, wall_seconds=30, tmp_bytes=8 << 20)


@contextmanager
def visit(target: Target, *names: str, limits: Limits = LIMITS, seconds: float = 30) -> Iterator[VisitSpec]:
    """A visit that attacks, with records beside it; removed at the end."""
    records = target.folder / "records.parquet"
    records.write_bytes(b"PAR1 not really")
    spec = attack_spec(target.engine, target.image_id, target.program, names, limits)
    inputs = {**spec.inputs, "records.parquet": records}
    spec = replace(spec, inputs=inputs, deadline=datetime.now(UTC) + timedelta(seconds=seconds))
    try:
        yield spec
    finally:
        target.engine.remove(spec.visit_id)


def quiet(target: Target, *names: str) -> Outcome:
    """Attacks that tell themselves what they reached; the data must be what it was."""
    with visit(target, *names) as spec:
        run(target.engine, spec)
        told = json.loads(target.engine.collect(spec.visit_id))["attacks"]
    return contained(all(a["held"] for a in told), "; ".join(a["figure"] for a in told))


def loud(target: Target, name: str, reason: Reason, limits: Limits = SMALL, seconds: float = 30) -> Outcome:
    """Attacks that leave a valid result but do not end well: it must not be taken."""
    began = monotonic()
    with visit(target, name, limits=limits, seconds=seconds) as spec:
        state = run(target.engine, spec)
        took = monotonic() - began
        try:
            target.engine.collect(spec.visit_id)
        except NotCollected as error:
            return contained(error.reason is reason, f"{error.reason}, {_ended(state)} after {took:.1f} s")
        return contained(False, "its output was taken")


def _ended(state: ContainerState) -> str:
    return f"code {state.exit_code}"


def _add_quiet() -> None:
    for number, attack, names in (
        (16, "process bomb, thread bomb", ("processes", "threads")),
        (
            18,
            "fill the memory disks with bytes and files, run a program from them",
            ("scratch", "borrowed-rights"),
        ),
        (20, "write in every directory", ("everywhere",)),
        (21, "an output of a terabyte, sparse and not", ("output-size",)),
        (22, "nine processes that burn processor time", ("processor",)),
        (27, "sockets of 24 families and 4 types", ("sockets",)),
        (28, "TCP, UDP, names, cloud metadata, the host's bridge", ("connections",)),
        (29, "the hypervisor over VSOCK", ("hypervisor",)),
        (30, "sockets of engine and services, by file and abstract name", ("neighbours",)),
        (31, "sockets through the 32-bit and x32 entries of the kernel", ("old-calls",)),
        (32, "system calls that no counting program needs", ("calls",)),
        (32, "600 system calls by number, those not yet invented too", ("later-calls",)),
        (33, "files of kernel, engine and machine; processes of others", ("machine",)),
        (34, "borrow rights from a program, make a device", ("borrowed-rights", "rights")),
        (35, "change the records in 14 ways", ("data",)),
        (36, "do more with the output file than write", ("output",)),
        (40, "honest ways of working still work", ("honest",)),
    ):
        case(number, attack)(lambda target, n=names: quiet(target, *n))


_add_quiet()


@case(17, "use up all memory after leaving a valid result")
def memory(target: Target) -> Outcome:
    return loud(target, "memory", Reason.OUT_OF_MEMORY)


@case(17, "use up all memory in eight children and end well")
def memory_in_children(target: Target) -> Outcome:
    return loud(target, "memory-in-children", Reason.OUT_OF_MEMORY)


@case(19, "use up all memory through the memory disks, which are larger")
def scratch_memory(target: Target) -> Outcome:
    return loud(target, "scratch-memory", Reason.OUT_OF_MEMORY, replace(SMALL, tmp_bytes=2 << 30))


@case(21, "an output larger than agreed, smaller than a file may be")
def large(target: Target) -> Outcome:
    return loud(target, "large", Reason.TOO_LARGE)


@case(22, "burn processor time without end")
def burn(target: Target) -> Outcome:
    return loud(target, "burn", Reason.TOO_LATE, seconds=1.5)


@case(22, "burn processor time without end, and nobody looks at the clock", is_long=True)
def burn_alone(target: Target) -> Outcome:
    limits = replace(SMALL, wall_seconds=1, cpus=1.0)
    with visit(target, "burn", limits=limits, seconds=300) as spec:
        state = run(target.engine, spec)
        alone = state.finished is not None and state.finished < spec.deadline
        took = (state.finished - state.started).total_seconds()
    return contained(alone, f"the kernel ended all nine after {took:.0f} s, without us")


@case(23, "ignore every signal")
def deaf(target: Target) -> Outcome:
    return loud(target, "deaf", Reason.TOO_LATE, seconds=1)


@case(24, "stop oneself, so that no end comes")
def stopped(target: Target) -> Outcome:
    return loud(target, "stopped", Reason.TOO_LATE, seconds=1)


@case(25, "a grandchild that writes after the end")
def daemon(target: Target) -> Outcome:
    with visit(target, "daemon") as spec:
        run(target.engine, spec)
        first = target.engine.collect(spec.visit_id)
        until = monotonic() + 1.5
        while monotonic() < until:
            same = target.engine.collect(spec.visit_id) == first
        return contained(same and b"after" not in first, "it ended with the first process")


@case(26, "kill every process in sight")
def kill_all(target: Target) -> Outcome:
    with visit(target, "kill-all") as spec:
        state = run(target.engine, spec)
        alive = target.engine.report().engine_version != ""
        return contained(alive, f"the node and its engine live on; it ended with {_ended(state)}")


@case(37, "half a gigabyte on standard output and error")
def talkative(target: Target) -> Outcome:
    with visit(target, "talkative") as spec:
        run(target.engine, spec)
        found = target.engine.daemon.inspect(container_name(target.engine.node, spec.visit_id))
        log = Path(found["LogPath"]) if found["LogPath"] else None
        size = log.stat().st_size if log and log.exists() else 0
        return contained(
            size == 0 and found["HostConfig"]["LogConfig"]["Type"] == "none", f"{size} bytes kept"
        )


@case(38, "a reader attached from outside that does not read, then a kill")
def attached(target: Target) -> Outcome:
    client = docker.APIClient(timeout=20)
    with visit(target, "deaf", limits=SMALL) as spec:
        target.engine.prepare(spec)
        name = container_name(target.engine.node, spec.visit_id)
        stream = client.attach_socket(name, {"stdout": 1, "stderr": 1, "stream": 1})
        target.engine.start(spec.visit_id)
        began = monotonic()
        target.engine.kill(spec.visit_id)
        while target.engine.look(spec.visit_id).phase is Phase.RUNNING:
            pass
        took = monotonic() - began
        stream._response.close()  # the client library keeps the connection there
        stream.close()
        client.close()
    return contained(took < 5, f"killed in {took:.2f} s; the node itself attaches nobody")


@case(39, "two runs on the same records talk by locks")
def lock(target: Target) -> Outcome:
    with visit(target, "lock") as first, visit(target, "lock") as second:
        for spec in (first, second):
            target.engine.prepare(spec)
        for spec in (first, second):
            target.engine.start(spec.visit_id)
        told = []
        for spec in (first, second):
            while target.engine.look(spec.visit_id).phase is Phase.RUNNING:
                pass
            told.append(target.engine.collect(spec.visit_id))
    return contained(told == [b"alone", b"alone"], "each had a copy of its own and was alone with it")


DROPPED = (
    *("NetworkMode", "IpcMode", "CapDrop", "SecurityOpt", "ReadonlyRootfs", "LogConfig", "MemorySwap"),
    *("NanoCpus", "PidsLimit", "OomScoreAdj", "Ulimits", "Tmpfs", "Mounts", "RestartPolicy", "CgroupnsMode"),
    *("User", "Env", "Labels", "Hostname", "NetworkDisabled", "StopSignal", "Healthcheck"),
)


@case(41, "a container that was made with one option less", "refused")
def one_option_less(target: Target) -> Outcome:
    client = docker.APIClient()
    image = client.inspect_image(target.image_id)
    mount = Mount(target.program, "/fairnode/in/x", writable=False)
    spec = replace(attack_spec(target.engine, target.image_id, target.program, []), image_id=image["Id"])
    asked = container_request("n", spec, (mount,), "unconfined", "runc")
    unseen = [key for key in DROPPED if not _is_seen(client, asked, key, image["Config"]["Env"] or ())]
    client.close()
    told = f"not noticed: {unseen}" if unseen else f"all {len(DROPPED)} noticed before the start"
    return refused(not unseen, told)


def _is_seen(client: docker.APIClient, asked: dict, key: str, environment: Sequence[str]) -> bool:
    made = copy.deepcopy(asked)
    (made["HostConfig"] if key in made["HostConfig"] else made).pop(key)
    container = client.create_container_from_config(made)["Id"]
    try:
        return bool(differences(asked, client.inspect_container(container), environment))
    finally:
        client.remove_container(container)


@case(35, "the records after all of it: bytes, rights and times")
def records_afterwards(target: Target) -> Outcome:
    records = target.folder / "records.parquet"
    records.write_bytes(b"PAR1 not really")
    before = (hashlib.sha256(records.read_bytes()).hexdigest(), records.stat())
    quiet(target, "data", "everywhere", "borrowed-rights")
    records_after = (hashlib.sha256(records.read_bytes()).hexdigest(), records.stat())
    same = before[0] == records_after[0] and before[1].st_mode == records_after[1].st_mode
    return contained(same and records_after[1].st_nlink == 1, "bytes, mode and links are what they were")


@case(69, "a kill that races with the end; a second kill, a second removal")
def races(target: Target) -> Outcome:
    with visit(target, "failing", limits=SMALL) as spec:
        target.engine.prepare(spec)
        target.engine.start(spec.visit_id)
        for _ in range(20):
            target.engine.kill(spec.visit_id)
        target.engine.remove(spec.visit_id)
        target.engine.remove(spec.visit_id)
        return contained(target.engine.look(spec.visit_id).phase is Phase.ABSENT, "all quietly done")


@case(78, "one visit started twice", "contained")
def started_twice(target: Target) -> Outcome:
    with visit(target, "failing", limits=SMALL) as spec:
        run(target.engine, spec)
        first = target.engine.look(spec.visit_id)
        target.engine.prepare(spec)
        target.engine.start(spec.visit_id)
        return contained(target.engine.look(spec.visit_id) == first, "it ran once")


@case(79, "a container that vanished is not started anew", "refused")
def vanished(target: Target) -> Outcome:
    with visit(target, "deaf", limits=SMALL) as spec:
        target.engine.prepare(spec)
        target.engine.start(spec.visit_id)
        client = docker.APIClient()
        client.remove_container(container_name(target.engine.node, spec.visit_id), force=True)
        client.close()
        try:
            target.engine.start(spec.visit_id)
        except errors.NotFound as error:
            return refused(True, error.what)
        return refused(False, "it was started again")
