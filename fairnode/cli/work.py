"""fairnode work: the worker. It alone holds the container engine."""

from __future__ import annotations

import logging
import signal

import click

from fairnode.cli.locks import only_one
from fairnode.cli.options import with_node
from fairnode.engine_docker import open_engine
from fairnode.node import Node
from fairnode.worker.loop import Worker


@click.command(epilog="Example: fairnode work --dir /srv/node")
@with_node
def command(node: Node) -> None:
    """Deliver messages and run approved visits until the process is stopped."""
    logging.basicConfig(level=node.config.settings.log_level, format="%(asctime)s %(levelname)s %(message)s")
    with only_one(node, "worker"):
        worker = Worker(node, open_engine(node))
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: worker.stop.set())
        worker.run()
