"""fairnode init: a new node in an empty directory."""

from __future__ import annotations

from pathlib import Path

import click

from fairnode.cli.output import Output, with_output
from fairnode.config import Config, Organisation, Settings, write_config
from fairnode.keys import make_node_keys
from fairnode.ledger.commit import Entry, commit
from fairnode.node import open_node
from fairnode.store.migrate import migrate


@click.command(
    epilog="Example: fairnode init /srv/node --name shelter --url https://node.shelter.example "
    "--organisation 'Shelter North' --kind shelter"
)
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--name", required=True, help="A short word for the node: a-z, 0-9 and -.")
@click.option("--url", required=True, help="The address under which others know it; it cannot change later.")
@click.option("--organisation", required=True, help="Whose node it is.")
@click.option("--kind", default="other", show_default=True, help="Kind of organisation (see the ontology).")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8080, show_default=True, help="The port to listen on.")
@with_output
def command(directory: Path, output: Output, host: str, port: int, **told: str) -> None:
    """Make a node: its settings, its keys, and an empty database with the first line of its ledger."""
    config = Config(
        directory=directory,
        name=told["name"],
        url=told["url"],
        host=host,
        port=port,
        organisation=Organisation(told["organisation"], told["kind"]),
        settings=Settings(),
    )
    public = make_node(config)
    output.say(
        f"The node '{config.name}' is made in {directory}.\n"
        f"Its public key is {public}.\n"
        "Next: fairnode person add --role operator, then fairnode serve and fairnode work.",
        {"directory": str(directory), "name": config.name, "url": config.url, "key": public},
    )


def make_node(config: Config) -> str:
    """Leave a complete new node in its directory; its public key (hex).

    Raises `NotValid` for settings that cannot be, `Conflict` where there is a node already.
    """
    write_config(config)
    make_node_keys(config.keys)
    migrate(config.database)
    config.spool.mkdir(mode=0o700, exist_ok=True)
    node = open_node(config.directory)
    commit(node.desk, lambda _: None, Entry("node.made", node.iri, "node", facts={"key": node.keys.public}))
    node.store.close()
    return node.keys.public
