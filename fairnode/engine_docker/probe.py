"""The node's self-test: does a container on the engine at hand really hold what a hostile algorithm tries?

Engines differ in what they let through for the same options, and change with versions. So at every start
the attacks of `fairnode.engine_docker.attacks` run under the very lockdown of a visit, and a node where one
of them got out serves no visits.
"""

from __future__ import annotations

import json
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic, sleep
from uuid import uuid4

from fairnode import errors
from fairnode.engine import ContainerState, Engine, Limits, NotCollected, Phase, Reason, VisitSpec
from fairnode.engine_docker.lockdown import LABEL_PROBE, OWN_KERNEL_RUNTIMES

ATTACKS = Path(__file__).parent / "attacks"
PACKAGE = "fairnode/engine_docker/attacks"
PROGRAM = "attacks.pyz"
LIMITS = Limits(memory_bytes=256 << 20, wall_seconds=60, tmp_bytes=16 << 20)
QUIET = (
    *(
        "sockets",
        "connections",
        "hypervisor",
        "neighbours",
        "old-calls",
        "calls",
        "later-calls",
        "namespaces",
        "rights",
        "everywhere",
        "data",
    ),
    *("output", "machine", "borrowed-rights", "processes", "threads", "scratch", "output-size", "open-files"),
    *("processor", "honest"),
)


# A runtime with a kernel of its own: calls and sockets are answered there and touch nothing of the machine, so
# what counts is that it is such a kernel, and what can be reached and written all the same.
QUIET_OWN_KERNEL = (
    *("own-kernel", "connections", "hypervisor", "neighbours", "rights", "everywhere", "data", "output"),
    *("machine", "output-size", "open-files", "honest"),  # its own clock of processor time proves nothing
)
BOMBS = ("processes", "scratch")


@dataclass(frozen=True)
class ProbeResult:
    """What one attack came to: its name, whether the container held, and what was observed."""

    name: str
    held: bool
    figure: str


def probe(engine: Engine, image_id: str) -> tuple[ProbeResult, ...]:
    """Attack a container on `engine` in each way that leaves the machine unharmed, about five seconds long.

    `image_id` is an image of the node's own with python3, such as the base image, and never an author's: its
    python3 could claim that all is well. Raises `errors.Unavailable` when the engine
    does not answer or the container broke down before it told anything.
    """
    own = engine.report().runtime in OWN_KERNEL_RUNTIMES
    with tempfile.TemporaryDirectory(prefix="fairnode-probe-") as folder:
        program = pack(Path(folder, PROGRAM))
        quiet = _quiet(engine, image_id, program, QUIET_OWN_KERNEL if own else QUIET)
        bombs = _bombs(engine, image_id, program) if own else ()
        return (*quiet, *bombs, *_loud(engine, image_id, program))


def pack(path: Path) -> Path:
    """Write the attacks as one file that `python3 FILE NAME...` runs, the same bytes every time."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for folder in ("fairnode", "fairnode/engine_docker"):
            file.writestr(zipfile.ZipInfo(f"{folder}/__init__.py"), "")
        for source in sorted(ATTACKS.glob("*.py")):
            file.writestr(zipfile.ZipInfo(f"{PACKAGE}/{source.name}"), source.read_bytes())
        main = "from fairnode.engine_docker.attacks.attack import main\n\nmain()\n"
        file.writestr(zipfile.ZipInfo("__main__.py"), main)
    return path


def attack_spec(
    engine: Engine, image_id: str, program: Path, names: Sequence[str], limits: Limits = LIMITS
) -> VisitSpec:
    """A visit that runs the named attacks; `program` is what `pack` wrote."""
    return VisitSpec(
        visit_id="probe-" + uuid4().hex,
        image_id=image_id,
        identity=engine.identity(image_id),
        entrypoint=("python3", f"/fairnode/in/{PROGRAM}"),
        run_json=json.dumps({"parameters": {"attacks": list(names)}}).encode(),
        inputs={PROGRAM: program},
        deadline=datetime.now(UTC) + timedelta(seconds=limits.wall_seconds),
        limits=limits,
    )


def run(engine: Engine, spec: VisitSpec) -> ContainerState:
    """Run a visit to its end or deadline; its files stay until `engine.remove`."""
    engine.prepare(spec)
    engine.start(spec.visit_id)
    while (state := engine.look(spec.visit_id)).phase is Phase.RUNNING:
        if datetime.now(UTC) > spec.deadline:
            engine.kill(spec.visit_id)
        sleep(0.01)
    return state


def _quiet(engine: Engine, image_id: str, program: Path, names: Sequence[str]) -> tuple[ProbeResult, ...]:
    spec = _marked(attack_spec(engine, image_id, program, names))
    try:
        state = run(engine, spec)
        told = json.loads(engine.collect(spec.visit_id))["attacks"]
    except NotCollected as error:
        raise errors.Unavailable(
            "The self-test of the engine broke down.",
            to_do="The node's operator looks whether the base image runs; no visit is served until it does.",
            internal=f"{error.reason}, {state}",
        ) from error
    finally:
        engine.remove(spec.visit_id)
    found = {str(a["name"]): ProbeResult(str(a["name"]), a["held"] is True, str(a["figure"])) for a in told}
    return tuple(found.get(name, ProbeResult(name, False, "told nothing")) for name in names)


def _bombs(engine: Engine, image_id: str, program: Path) -> tuple[ProbeResult, ...]:
    """Attacks that a kernel of its own dies of, and with it the container: held, if nothing is taken then."""
    found: list[ProbeResult] = []
    for name in BOMBS:
        try:
            found += _quiet(engine, image_id, program, (name,))
        except errors.Unavailable as error:
            found.append(
                ProbeResult(name, True, f"its kernel ended, and the container: {error.internal[:60]}")
            )
    return tuple(found)


def _marked(spec: VisitSpec) -> VisitSpec:
    """Told apart from the node's visits, so that a worker beside us does not tidy it away."""
    return replace(spec, labels={LABEL_PROBE: "yes"})


def _loud(engine: Engine, image_id: str, program: Path) -> tuple[ProbeResult, ...]:
    """Attacks that end the container: the output they leave must not be taken."""
    return tuple(
        _refused(engine, _marked(attack_spec(engine, image_id, program, [name], limits)), reason)
        for name, limits, reason in (
            ("memory", LIMITS, Reason.OUT_OF_MEMORY),
            ("memory-in-children", LIMITS, Reason.OUT_OF_MEMORY),
            ("deaf", Limits(memory_bytes=64 << 20, wall_seconds=1), Reason.TOO_LATE),
        )
    )


def _refused(engine: Engine, spec: VisitSpec, expected: Reason) -> ProbeResult:
    name = json.loads(spec.run_json)["parameters"]["attacks"][0]
    began = monotonic()
    try:
        run(engine, spec)
        engine.collect(spec.visit_id)
    except NotCollected as error:
        figure = f"ended after {monotonic() - began:.1f} s: {error.reason}"
        return ProbeResult(name, error.reason is expected, figure)
    finally:
        engine.remove(spec.visit_id)
    return ProbeResult(name, False, "its output was taken")
