"""fairnode doctor: what is well with this node, and what is not."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from fairnode import errors
from fairnode.cli.options import with_node
from fairnode.cli.output import Output, with_output
from fairnode.cli.work import docker_engine
from fairnode.engine_docker.probe import probe
from fairnode.ledger import verify_ledger
from fairnode.network.joined import current
from fairnode.node import Node
from fairnode.records.rows import Person, Role
from fairnode.worker.selftest import engine_key, engine_lacks, keep_result

LEAST_FREE = 1 << 30
Line = tuple[bool, str, str]


@click.command(epilog="Example: fairnode doctor --dir /srv/node --attack")
@click.option("--attack", is_flag=True, help="Also attack a container on this engine, in about five seconds.")
@with_node
@with_output
def command(node: Node, output: Output, *, attack: bool) -> None:
    """Look at directory, keys, people, engine, network and ledger; exit code 1 when something is wrong."""
    lines = [
        *_directory(node),
        *_people(node),
        *_ledger(node),
        *_network(node),
        *_engine(node, attack=attack),
    ]
    rows = [["well" if well else "WRONG", what, told] for well, what, told in lines]
    output.table(f"Node {node.config.name}", ["", "what", "found"], rows)
    sys.exit(0 if all(well for well, _, _ in lines) else 1)


def _directory(node: Node) -> Iterator[Line]:
    """Space, and who can read the keys."""
    free = shutil.disk_usage(node.config.directory).free
    yield free >= LEAST_FREE, "free disk space", f"{free >> 20} MiB"
    # installed for two users, the directory hands its group on (packaging/rights.sh)
    two = bool(node.config.directory.stat().st_mode & stat.S_ISGID)
    loose = [p.name for p in _private(node) if p.stat().st_mode & (0o007 if two else 0o077)]
    who = "only the node's users can read them" if two else "only this user can read them"
    yield not loose, "keys and database are private", ", ".join(loose) or who
    mine = node.config.spool.stat().st_uid == os.getuid()
    yield mine, "this user owns the node", "yes" if mine else "run it as the node's own user"


def _private(node: Node) -> list[Path]:
    """The files that nobody else may read."""
    secret = [p for p in node.config.keys.iterdir() if p.suffix in (".key", ".secret")]
    return [node.config.database, *secret]


def _people(node: Node) -> Iterator[Line]:
    """Somebody for each role of the quorum."""
    with node.store.read() as reader:
        people = [p for p in reader.find(Person) if p.active]
    for role in (*node.config.settings.quorum, Role.OPERATOR):
        names = [p.username for p in people if role in p.roles]
        yield bool(names), f"somebody is {role}", ", ".join(names) or "nobody"


def _ledger(node: Node) -> Iterator[Line]:
    """The whole ledger, read and checked."""
    report = verify_ledger(node.desk)
    yield report.sound, "ledger", f"{report.lines} lines, {len(report.problems)} problems"


def _network(node: Node) -> Iterator[Line]:
    """The agreement in force; none is fine for a node that publishes only."""
    agreement = current(node)
    told = f"{agreement.title}, until {agreement.expires}" if agreement else "none: this node stands alone"
    yield True, "agreement", told


def _engine(node: Node, *, attack: bool) -> Iterator[Line]:
    """The container engine, its versions, and (if asked) whether it holds attacks."""
    try:
        engine = docker_engine(node)
        report = engine.report()
    except errors.FairnodeError as error:
        yield False, "container engine", error.what
        return
    versions = (
        f"{report.engine} {report.engine_version}, runc {report.runc_version}, kernel {report.kernel_version}"
    )
    yield True, "container engine", versions
    lacks = {finding.where: finding.what for finding in engine_lacks(node.config, report)}
    yield "runtime" not in lacks, "runtime of visits", lacks.get("runtime", report.runtime)
    old = ", ".join(f"{part} {what}" for part, what in lacks.items() if part != "runtime")
    least = ", ".join(f"{part} {version}" for part, version in vars(node.config.least).items() if version)
    yield not old, "oldest versions allowed", old or least or "any: [least] in node.toml says nothing"
    if lacks:
        return
    if attack:
        found = probe(engine, node.config.settings.base_image)
        keep_result(node.config.directory, engine_key(engine), found)
        for result in found:
            yield result.held, f"attack: {result.name}", result.figure
