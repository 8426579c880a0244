"""fairnode init: a new node in an empty directory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from fairnode.cli.output import Output, with_output
from fairnode.config import Config, Organisation, Settings
from fairnode.new_node import make_node


@click.command(
    epilog="Example: fairnode init /srv/node --name shelter --url https://node.shelter.example "
    "--organisation 'Shelter North' --kind shelter"
)
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--name", required=True, help="A short word for the node: a-z, 0-9 and -.")
@click.option("--url", required=True, help="The address under which others know it; it cannot change later.")
@click.option("--organisation", required=True, help="Whose node it is.")
@click.option("--kind", default="other", show_default=True, help="Kind of organisation (see the ontology).")
@click.option("--homepage", default="", help="The organisation's page; published.")
@click.option("--email", default="", help="The e-mail address of its data desk; published as the contact.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8080, show_default=True, help="The port to listen on.")
@click.option("--peer-port", default=0, help="The port of the mailbox door for other nodes; 0: none.")
@click.option("--compute-port", default=0, help="The port for compute parties; 0: this node is none.")
@with_output
def command(directory: Path, output: Output, host: str, **told: Any) -> None:
    """Make a node: its settings, its keys, and an empty database with the first line of its ledger."""
    config = Config(
        directory=directory,
        name=told["name"],
        url=told["url"],
        host=host,
        port=told["port"],
        organisation=Organisation(told["organisation"], told["kind"], told["homepage"], told["email"]),
        settings=Settings(),
        peer_port=told["peer_port"],
        compute_port=told["compute_port"],
    )
    public = make_node(config)
    output.say(
        f"The node '{config.name}' is made in {directory}.\n"
        f"Its public key is {public}.\n"
        "Next: fairnode person add --role operator, then fairnode serve and fairnode work.",
        {"directory": str(directory), "name": config.name, "url": config.url, "key": public},
    )
