"""fairnode dataset: describe, check, publish."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from fairnode import errors
from fairnode.algorithms.fitting import fit, look
from fairnode.algorithms.known import listed, manifest
from fairnode.cli.describe import describe_dataset, in_words
from fairnode.cli.options import Me, who, with_node, with_token
from fairnode.cli.output import Output, with_output
from fairnode.cli.profile import profile_dataset, twin_dataset
from fairnode.datasets.add import add, check
from fairnode.datasets.source import read_source
from fairnode.discovery.fitting import datasets_for
from fairnode.discovery.search import Wanted, search
from fairnode.metadata.keep import datasets
from fairnode.node import Node
from fairnode.records.algorithm import Manifest
from fairnode.records.dataset import Source

READABLE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def command() -> None:
    """Datasets of this node."""


command.add_command(describe_dataset)
command.add_command(profile_dataset)
command.add_command(twin_dataset)


@command.command("list", epilog="Example: fairnode dataset list")
@with_node
@with_output
def list_datasets(node: Node, output: Output) -> None:
    """List the datasets of this node."""
    rows = [[d.id, d.title, d.state, d.version, d.iri] for d in datasets(node)]
    output.table("Datasets", ["id", "title", "state", "version", "iri"], rows)


@command.command("check", epilog="Example: fairnode dataset check record.ttl --source source.toml")
@click.argument("record", type=READABLE)
@click.option("--source", required=True, type=READABLE, help="TOML that says where the data are.")
@with_node
@with_output
def check_dataset(node: Node, output: Output, record: Path, source: Path) -> None:
    """Check a record and the data behind it; nothing is written."""
    found = check(node, record.read_bytes(), _source(source))
    output.say("\n".join(in_words(found)), found)


@command.command("add", epilog="Example: fairnode dataset add record.ttl --source source.toml --user anna")
@click.argument("record", type=READABLE)
@click.option(
    "--source", type=READABLE, help="TOML that says where the data are; without it: metadata alone."
)
@click.option("--draft", is_flag=True, help="Keep it unpublished for now.")
@with_node
@with_token
@with_output
def add_dataset(
    node: Node,
    output: Output,
    record: Path,
    source: Path | None,
    draft: bool,
    me: Me,
) -> None:
    """Check a record and its data, then keep and publish it."""
    custodian = who(node, me)
    kept = add(node, custodian, record.read_bytes(), _source(source) if source else {}, publish=not draft)
    output.say(
        f"{kept.title}: {kept.state} at {kept.iri}", {"id": kept.id, "iri": kept.iri, "state": kept.state}
    )


def _source(path: Path) -> dict[str, str]:
    """The source that a TOML file describes, as far as it is not as usual; what is wrong with it, key by key."""
    try:
        found = read_source(path.read_text(encoding="utf-8"), path.parent.resolve())
    except UnicodeDecodeError as error:
        raise errors.NotValid(f"{path.name} is not UTF-8 text.") from error
    usual = vars(Source(found.kind))
    return {key: value for key, value in vars(found).items() if key == "kind" or value != usual[key]}


@command.command(
    "search", epilog="Example: fairnode dataset search --variable region --variable year --year 2012"
)
@click.argument("words", nargs=-1)
@click.option("--variable", "variables", multiple=True, help="A variable that it must have; may be repeated.")
@click.option("--concept", "concepts", multiple=True, help="A code that occurs, as exploitationForm=sexual.")
@click.option(
    "--year", "years", multiple=True, type=int, help="A year of which it has data; may be repeated."
)
@click.option("--place", "places", multiple=True, help="Where the data are about, such as NLD.")
@click.option("--organisation", default="", help="Kind of organisation, such as police or shelter.")
@click.option("--regime", default="", help="The legal regime, such as GDPR or WPG.")
@click.option("--algorithm", default="", help="Only what this algorithm can visit, by its name.")
@click.option("--facets", "counted", is_flag=True, help="Count what can be narrowed down by instead.")
@with_node
@with_output
def search_datasets(node: Node, output: Output, algorithm: str, counted: bool, **told: Any) -> None:
    """Search the datasets of the whole network, and of what else is harvested.

    Words are looked for in English and Dutch, and their beginnings count.
    """
    wanted = Wanted(**told)
    if counted:
        page = look(node, wanted, algorithm, 0)
        counts = [[facet.name, value, number] for facet in page.facets for value, number in facet.values]
        output.table("Facets", ["facet", "value", "datasets"], counts)
        return
    found = datasets_for(node, _named(node, algorithm), wanted) if algorithm else search(node, wanted)
    rows = [
        [
            f.title,
            f.organisation,
            f"{f.years[0]}-{f.years[1]}" if f.years[0] else "",
            ", ".join(f.variables),
            f.iri,
        ]
        for f in found
    ]
    output.table("Datasets", ["title", "organisation", "years", "variables", "iri"], rows)


@command.command(
    "needs", epilog="Example: fairnode dataset needs https://node.shelter.example/dataset/intakes"
)
@click.argument("iri")
@with_node
@with_output
def needs(node: Node, output: Output, iri: str) -> None:
    """Say what it would take to visit a dataset: its policy in words, and which algorithms fit it."""
    told = fit(node, iri)
    lines = [told.found.title, *told.policy]
    for row, reasons in told.algorithms:
        lines.append(
            f"{row.name} cannot visit it: {'; '.join(reasons)}." if reasons else f"{row.name} can visit it."
        )
    algorithms = [{"name": row.name, "lacks": list(reasons)} for row, reasons in told.algorithms]
    output.say("\n".join(lines), {"iri": iri, "policy": list(told.policy), "algorithms": algorithms})


def _named(node: Node, name: str) -> Manifest:
    """The manifest of the algorithm of that name. Raises `NotFound`."""
    for row in listed(node):
        if row.name == name and row.state == "known":
            return manifest(row)
    raise errors.NotFound("This node knows no such algorithm.", to_do="See: fairnode algorithm list")
