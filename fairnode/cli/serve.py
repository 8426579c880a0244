"""fairnode serve: the web process. It cannot reach the container engine, not even indirectly."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace

import click

from fairnode.app import serve
from fairnode.cli.locks import only_one
from fairnode.cli.options import with_lasting_node
from fairnode.datasets.add import add_waiting
from fairnode.mailboxes.door import make_door
from fairnode.node import Node


@click.command(epilog="Example: fairnode serve --dir /srv/node")
@with_lasting_node
def command(node: Node) -> None:
    """Serve the FAIR Data Point, the pages and the API until the process is stopped."""
    logging.basicConfig(level=node.config.settings.log_level, format="%(asctime)s %(levelname)s %(message)s")
    node = replace(node, config=replace(node.config, spool_folder="spool-web"))
    with only_one(node, "web"):
        add_waiting(node)
        if node.config.peer_port:
            threading.Thread(target=make_door(node).start, name="mailboxes", daemon=True).start()
        serve(node)
