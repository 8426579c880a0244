"""fairnode harvest: read FAIR Data Points outside the network, and keep the search index."""

from __future__ import annotations

import click

from fairnode import errors
from fairnode.cli.options import with_node
from fairnode.cli.output import Output, with_output
from fairnode.discovery import sources
from fairnode.discovery.index import rebuild
from fairnode.discovery.sparql import refresh
from fairnode.letters import for_terminal
from fairnode.node import Node

_SHOWN = 20


@click.group()
def command() -> None:
    """FAIR Data Points outside the network, whose datasets are found here too.

    Members of the network are harvested by the worker, without any of this.
    """


@command.command("add", epilog="Example: fairnode harvest add https://fdp.example.org")
@click.argument("url")
@click.option("--prefix", default="", help="With what its IRIs begin, where that is not its address.")
@with_node
@with_output
def add(node: Node, output: Output, url: str, prefix: str) -> None:
    """Harvest a FAIR Data Point from now on; node.toml must allow its address ([harvest] allow)."""
    source = sources.add_source(node, url, prefix)
    output.say(
        f"{source.url} will be harvested.\nNext: fairnode harvest run", {"url": source.url, "prefix": prefix}
    )


@command.command("remove", epilog="Example: fairnode harvest remove https://fdp.example.org")
@click.argument("url")
@with_node
@with_output
def remove(node: Node, output: Output, url: str) -> None:
    """Harvest it no more, and forget its datasets."""
    number = sources.remove_source(node, url)
    output.say(f"{number} datasets forgotten.", {"url": url, "datasets": number})


@command.command("list", epilog="Example: fairnode harvest list")
@with_node
@with_output
def list_sources(node: Node, output: Output) -> None:
    """List what is harvested, and how it went the last time."""
    rows = [[s.url, s.prefix, s.datasets, s.seen or "never", s.trouble] for s in sources.sources(node)]
    output.table("Harvested", ["url", "prefix", "datasets", "seen", "trouble"], rows)


@command.command("run", epilog="Example: fairnode harvest run")
@click.argument("urls", nargs=-1)
@click.option("--due", is_flag=True, help="Only what told of itself since, or was never harvested.")
@with_node
@with_output
def run(node: Node, output: Output, urls: tuple[str, ...], due: bool) -> None:
    """Harvest all, or those that are named, now. Trouble at one leaves the others untouched.

    Suited for a timer: it also tells the indexes in node.toml ([harvest] ping) that this node is there, each
    once in seven days. Ends with code 6 when a source could not be read.
    """
    known = sources.due(node) if due else sources.sources(node)
    chosen = [s for s in known if not urls or s.url in {url.rstrip("/") for url in urls}]
    if urls and len(chosen) < len(set(urls)):
        raise errors.NotFound("One of these is not harvested here.", to_do="See: fairnode harvest list")
    rows, troubles = [], []
    for source in chosen:
        try:
            taken = sources.run_source(node, source)
        except errors.FairnodeError as error:
            troubles.append(errors.Finding(source.url, error.what))
            continue
        figures = [taken.kept, taken.changed, taken.gone, len(taken.refused), taken.unchanged]
        rows.append([source.url, *figures])
        if not output.as_json:
            _tell(taken.refused)
    refresh(node)
    try:
        sources.tell_indexes(node)
    except errors.FairnodeError as error:
        troubles.append(errors.Finding("ping", error.what))
    heads = ["url", "datasets", "changed", "gone", "refused", "not modified"]
    output.table("Harvested", heads, rows)
    if troubles:
        raise errors.Unavailable("Not everything could be reached.", findings=tuple(troubles))


def _tell(refused: tuple[errors.Finding, ...]) -> None:
    """Say what was refused, and why."""
    for finding in refused[:_SHOWN]:
        click.echo(for_terminal(f"refused {finding.where}: {finding.what}"), err=True)
    if len(refused) > _SHOWN:
        click.echo(f"... and {len(refused) - _SHOWN} more", err=True)


@command.command("rebuild", epilog="Example: fairnode harvest rebuild")
@with_node
@with_output
def make_again(node: Node, output: Output) -> None:
    """Make the search indexes again from the records as received; nothing is fetched."""
    number = rebuild(node)
    refresh(node)
    output.say(f"{number} datasets of others, and all of this node's own.", {"datasets": number})
