"""Cases 89-95: memory without a name, results that move, and what an outsider learns of how a visit ended."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from fairnode.approvals.decide import tell_home
from fairnode.engine import NotCollected, Reason
from fairnode.engine_docker import DockerEngine, DockerSettings
from fairnode.engine_docker.probe import run
from fairnode.engine_docker.spool import read_output
from fairnode.letters import for_terminal, reads_as_written
from fairnode.records.states import TRANSITIONS, PublicState, VisitState, public_state
from tests.hostile.case import ROOT, Outcome, Target, case, contained, refused
from tests.hostile.containment import SMALL, loud, quiet, visit
from tests.hostile.outputs import PLAIN, judge, with_code


@case(89, "namespaces of eight kinds by unshare, clone and clone3")
def namespaces(target: Target) -> Outcome:
    return quiet(target, "namespaces")


@case(89, "use up all memory in files without a name (memfd)")
def unseen_memory(target: Target) -> Outcome:
    return loud(target, "unseen-memory", Reason.OUT_OF_MEMORY)


@case(89, "use up all memory in shared mappings")
def shared_memory(target: Target) -> Outcome:
    return loud(target, "shared-memory", Reason.OUT_OF_MEMORY)


@case(90, "a process that goes on writing the result when the first one has ended")
def still_growing(target: Target) -> Outcome:
    with visit(target, "growing", limits=SMALL) as spec:
        run(target.engine, spec)
        first, second = (target.engine.collect(spec.visit_id) for _ in range(2))
    return contained(
        first == second, f"{len(first)} bytes, the same at a second look: it died with the first"
    )


@case(90, "a result that grows while it is read", "refused")
def grows_while_read(target: Target) -> Outcome:
    path, ends = target.folder / "result", threading.Event()
    path.write_bytes(PLAIN)
    with path.open("ab", buffering=0) as file:
        writer = threading.Thread(target=lambda: [file.write(b" " * 4096) for _ in iter(ends.is_set, True)])
        writer.start()
        try:
            while True:
                read_output(path, 8 << 20)
        except NotCollected as error:
            return refused(error.reason is Reason.TOO_LARGE, error.what)
        finally:
            ends.set()
            writer.join()


@case(91, "three exit codes, each a message of eight bits")
def exit_codes(target: Target) -> Outcome:
    told = []
    for code in (1, 77, 255):
        with visit(target, "code", limits=SMALL) as spec:
            asked = {"parameters": {"attacks": ["code"], "code": code}}
            run(target.engine, replace(spec, run_json=json.dumps(asked).encode()))
            try:
                target.engine.collect(spec.visit_id)
            except NotCollected as error:
                told.append(error.reason)
    return contained(told == [Reason.FAILED] * 3, "one reason for all; outsiders do not see even that")


@case(91, "ways to end: what outsiders are told of them")
def ways_to_end(_: Target) -> Outcome:
    dead = [state for state, after in TRANSITIONS["visit"].items() if not after]
    told = {public_state(VisitState(state)) for state in dead if state != VisitState.RELEASED}
    return contained(told == {PublicState.NOT_RELEASED}, f"{len(dead) - 1} ends, one word: {[*told]}")


class Nothing:
    """A reader that must not be asked: whoever asks it is about to write a message."""

    def get(self, *_: object) -> object:
        raise LookupError("a message is made")


@case(92, "a message in the moment at which a container ends, or at which the next in line begins")
def moment_of_the_end(_: Target) -> Outcome:
    silent = (
        *(VisitState.PREPARING, VisitState.RUNNING, VisitState.QUARANTINED, VisitState.REVIEWING),
        *(VisitState.PASSED, VisitState.READY, VisitState.FAILED, VisitState.BLOCKED),
    )
    telling = [state for state in silent if _tells(state)]
    return contained(not telling, f"{len(silent)} steps tell nobody; ends are told at slots, as releases are")


def _tells(state: VisitState) -> bool:
    """Whether this step of a visit writes a message to another node."""
    standing = type("Standing", (), {"state": state, "study": "s", "dataset": "d"})()
    try:
        return bool(tell_home(Nothing(), standing))
    except LookupError:
        return True


@case(93, "commands for a terminal and markup in what a program prints")
def colours(target: Target) -> Outcome:
    settings = DockerSettings(
        target.engine.node, target.folder / "spool", ROOT / "docker/seccomp.json", most_log_bytes=1 << 16
    )
    with visit(target, "colours", limits=SMALL) as spec:
        engine = DockerEngine(settings)
        run(engine, replace(spec, log_bytes=1 << 16))
        printed = engine.tail(spec.visit_id)
        engine.remove(spec.visit_id)
        engine.close()
    shown = for_terminal(printed)
    return contained("evil" in printed and reads_as_written(shown, lines=True), f"shown as {shown.strip()!r}")


def _parquet(path: Path) -> bytes:
    pq.write_table(pa.table({"region": ["NL-AM"] * 100_000}), path)
    return path.read_bytes()


@case(94, "Parquet in the place of JSON, with a megabyte in a kilobyte", "refused")
def parquet(target: Target) -> Outcome:
    return judge(_parquet(target.folder / "x"))


CODES = {
    "markup as a code": "<img src=x onerror=alert(1)>",
    "a formula for a spreadsheet as a code": "=HYPERLINK(1)",
    "a command for a terminal as a code": "NL-AM\x1b[2J",
    "a template's brackets as a code": "{{ config }}",
    "a path as a code": "../../etc/passwd",
}


def _add_codes() -> None:
    for name, code in CODES.items():
        case(94, f"a result with {name}", "refused")(lambda _, c=code: judge(with_code(c)))


_add_codes()


@case(95, "a visit's files, seen from inside: what their paths tell")
def neutral_paths(target: Target) -> Outcome:
    with visit(target, "data", limits=SMALL) as spec:
        target.engine.prepare(spec)
        found = target.engine.daemon.inspect(f"fairnode-{target.engine.node}-{spec.visit_id}")
        sources = [m["Source"] for m in found["Mounts"]]
    own = os.path.commonpath(sources)
    return contained(spec.visit_id not in "".join(sources), f"a digest: .../{Path(own).name}")
