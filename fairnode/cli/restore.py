"""fairnode restore: a node again, from a backup."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from fairnode import errors
from fairnode.cli.output import Output, with_output
from fairnode.ledger import verify_ledger
from fairnode.ledger.commit import Entry, commit
from fairnode.node import open_node


@click.command(epilog="Example: fairnode restore /mnt/backup/2026-11-21 /srv/node")
@click.argument("backup", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("directory", type=click.Path(path_type=Path))
@with_output
def command(backup: Path, directory: Path, output: Output) -> None:
    """Make a node from a backup in a directory that does not exist yet, after checking its ledger."""
    if directory.exists():
        raise errors.Conflict("The directory exists already; nothing is overwritten.")
    opened = open_node(backup)
    report = verify_ledger(opened.desk)
    opened.close()
    if not report.sound:
        findings = tuple(errors.Finding("ledger", problem) for problem in report.problems)
        raise errors.NotValid(
            "The backup was changed after it was made; nothing was written.", findings=findings
        )
    shutil.copytree(backup, directory)
    directory.chmod(0o700)
    node = open_node(directory)
    commit(
        node.desk, lambda _: None, Entry("node.restored", node.iri, "operator", facts={"lines": report.lines})
    )
    node.close()
    output.say(f"The node is restored with {report.lines} ledger lines.", {"lines": report.lines})
