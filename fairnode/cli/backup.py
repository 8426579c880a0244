"""fairnode backup: a consistent copy of the node while it runs."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

import click

from fairnode import errors
from fairnode.cli.options import with_node
from fairnode.cli.output import Output, with_output
from fairnode.config import FILE
from fairnode.ledger.commit import Entry, commit
from fairnode.node import Node


@click.command(epilog="Example: fairnode backup /mnt/backup/2026-11-21")
@click.argument("target", type=click.Path(path_type=Path))
@with_node
@with_output
def command(node: Node, output: Output, target: Path) -> None:
    """Copy settings, keys, database and person sets to a new directory. Keep it as safe as the node is kept.

    Keys are in it, and the keyed hashes of persons with which later releases are compared.
    """
    if target.exists():
        raise errors.Conflict("The target exists already; a backup needs a directory of its own.")
    target.mkdir(mode=0o700, parents=True)
    commit(node.desk, lambda _: None, Entry("node.backed-up", node.iri, "operator"))
    node.store.back_up(target / node.config.database.name)
    (target / node.config.database.name).chmod(0o600)
    shutil.copy2(node.config.directory / FILE, target / FILE)
    shutil.copytree(node.config.keys, target / node.config.keys.name)
    _copy_person_sets(node.config.lineages, target / node.config.lineages.name)
    output.say(f"The backup is in {target}.", {"directory": str(target)})


def _copy_person_sets(source: Path, target: Path) -> None:
    """Copy who stood in which cell; after the database, so that whatever it knows of is there.

    A file that a running worker takes away meanwhile belongs to nothing that the copy knows.
    """
    for path in sorted(source.rglob("*.parquet")):
        place = target / path.relative_to(source)
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            shutil.copy2(path, place)
