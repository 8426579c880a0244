"""fairnode migrate: bring an older database to this version."""

from __future__ import annotations

from pathlib import Path

import click

from fairnode.cli.output import Output, with_output
from fairnode.config import load_config
from fairnode.store.migrate import migrate


@click.command(epilog="Example: fairnode migrate --dir /srv/node")
@click.option("--dir", "directory", envvar="FAIRNODE_DIR", default=".", type=click.Path(path_type=Path))
@with_output
def command(directory: Path, output: Output) -> None:
    """Bring the database to the schema of this version. Make a backup first."""
    migrate(load_config(directory).database)
    output.say("The database has the schema of this version.", {"migrated": True})
