"""Cases 96-97: images that put links where our files go, and programs that no engine can start."""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from fairnode import errors
from fairnode.algorithms.archive import read_archive
from fairnode.engine import Phase, VisitSpec
from fairnode.engine_docker.probe import attack_spec, run
from tests.hostile.case import Outcome, Target, case, contained, refused
from tests.hostile.containment import SMALL
from tests.hostile.forge import MACHINE, docker_archive, layer, member
from tests.hostile.images import built

NEEDED = (member("proc", type=tarfile.DIRTYPE, mode=0o755), member("tmp", type=tarfile.DIRTYPE, mode=0o777))
PLACES = {
    "/fairnode as a link to the memory disk": "ln -s /tmp /fairnode",
    "/fairnode as a link to a folder of the machine": "ln -s ../../../../../../etc /fairnode",
    "/fairnode/out as a link to /etc": "mkdir /fairnode && ln -s /etc /fairnode/out",
    "the result as a link to /etc/passwd": "mkdir -p /fairnode/out && ln -s /etc/passwd /fairnode/out/result",
    "the result as a link to standard input": (
        "mkdir -p /fairnode/out && ln -s /proc/self/fd/0 /fairnode/out/result"
    ),
    "the result as a folder": "mkdir -p /fairnode/out/result",
    "/tmp as a link to /proc": "rm -r /tmp && ln -s /proc /tmp",
}


def _machine() -> str:
    """The machine's own files that such links would lead to."""
    return hashlib.sha256(Path("/etc/passwd").read_bytes() + Path("/etc/group").read_bytes()).hexdigest()


def _visited(target: Target, command: str) -> Outcome:
    """A visit in an image with a link; what is taken, if anything, is what the program wrote in its place."""
    client, tag = built(target, f"RUN rm -rf /fairnode && {command}")
    spec = attack_spec(target.engine, target.image_id, target.program, ["rights"], SMALL)
    spec = replace(spec, image_id=tag, identity=target.engine.identity(tag))
    before = _machine()
    try:
        run(target.engine, spec)
        told = target.engine.collect(spec.visit_id)[:11].decode()
    except errors.FairnodeError as error:
        told = error.what
    finally:
        target.engine.remove(spec.visit_id)
        client.remove_image(tag)
        client.close()
    own = told == '{"attacks":' or told.startswith("The container")
    return contained(own and before == _machine(), f"inside its own root: {told}")


def _add_places() -> None:
    for name, command in PLACES.items():
        case(96, f"an image with {name}")(lambda target, c=command: _visited(target, c))


_add_places()


def _spec(target: Target, program: str, *members: tuple[tarfile.TarInfo, bytes]) -> tuple[VisitSpec, str]:
    path = docker_archive(target.folder / "program.tar", layer(*NEEDED, *members))
    image = target.engine.load_image(path)
    spec = attack_spec(target.engine, target.image_id, target.program, ["rights"], SMALL)
    spec = replace(spec, image_id=image.image_id, identity=image.identity, entrypoint=(program,))
    return spec, image.image_id


PROGRAMS: dict[str, Callable[[], tuple[str, tarfile.TarInfo, bytes]]] = {
    "a link to itself": lambda: ("/x", *member("x", type=tarfile.SYMTYPE, linkname="x")),
    "a folder": lambda: ("/x", *member("x", type=tarfile.DIRTYPE, mode=0o755)),
    "a text": lambda: ("/x", *member("x", b"hello", mode=0o755)),
    "half a program": lambda: ("/x", *member("x", b"\x7fELF\x02\x01\x01", mode=0o755)),
    "not there": lambda: ("/y", *member("x", b"hello")),
    "a name of 5,000 letters": lambda: ("/" + "x" * 5000, *member("x", b"hello")),
}


@case(97, "programs that cannot be started", "refused")
def not_startable(target: Target) -> Outcome:
    ended, waiting = [], []
    for name, make in PROGRAMS.items():
        program, *one = make()
        spec, image_id = _spec(target, program, (one[0], one[1]))
        target.engine.prepare(spec)
        try:
            target.engine.start(spec.visit_id)
        except errors.Unavailable:
            waiting.append(name)  # the worker tries again until the deadline, then the visit has failed
        while target.engine.look(spec.visit_id).phase is Phase.RUNNING:
            pass
        try:
            target.engine.collect(spec.visit_id)
            return refused(False, f"{name}: something was taken")
        except errors.FairnodeError:
            ended.append(name)
        target.engine.remove(spec.visit_id)
        target.engine.daemon.ask(lambda api, i=image_id: api.remove_image(i, force=True))
    return refused(
        len(ended) == len(PROGRAMS), f"nothing taken of {len(ended)}; {len(waiting)} end by deadline"
    )


@case(97, "a list of packages that a later layer replaces by a link")
def package_list_replaced(target: Target) -> Outcome:
    status = b"Package: honest\nStatus: install ok installed\nVersion: 1\n"
    one = layer(member("var/lib/dpkg/status", status))
    two = layer(member("var/lib/dpkg/status", type=tarfile.SYMTYPE, linkname="../../../opt/other"))
    found = read_archive(docker_archive(target.folder / "p.tar", one, two), MACHINE).packages
    return contained(not found, "no packages are told of, rather than those that are gone")
