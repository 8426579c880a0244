"""fairnode work: the worker. It alone holds the container engine."""

from __future__ import annotations

import logging
import signal
from dataclasses import replace

import click

from fairnode.cli.locks import only_one
from fairnode.cli.options import with_node
from fairnode.engine_docker import DockerEngine, DockerSettings
from fairnode.engine_docker.denied import find_calls
from fairnode.engine_docker.probe import probe
from fairnode.node import Node
from fairnode.share import shared
from fairnode.worker.loop import Worker


@click.command(epilog="Example: fairnode work --dir /srv/node")
@with_node
def command(node: Node) -> None:
    """Deliver messages and run approved visits until the process is stopped."""
    logging.basicConfig(level=node.config.settings.log_level, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    with only_one(node, "worker"):
        worker = Worker(node, docker_engine(node), probe, find_calls=find_calls)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: worker.stop.set())
        worker.run()


def docker_engine(node: Node) -> DockerEngine:
    """The Docker engine of this machine, as this node uses it."""
    return DockerEngine(docker_settings(node))


def docker_settings(node: Node) -> DockerSettings:
    """How this node uses the Docker engine of this machine."""
    settings = DockerSettings(
        node=node.config.name,
        spool=node.config.spool / "sandbox",
        seccomp=shared("docker") / "seccomp.json",
    )
    runtime = node.config.settings.runtime
    return replace(settings, runtime=runtime) if runtime else settings
