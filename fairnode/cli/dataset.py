"""fairnode dataset: describe, check, publish."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from fairnode import errors
from fairnode.cli.options import Me, who, with_node, with_token
from fairnode.cli.output import Output, with_output
from fairnode.datasets.add import add, check
from fairnode.discovery.search import Wanted, search
from fairnode.metadata.keep import datasets
from fairnode.node import Node

READABLE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def command() -> None:
    """Datasets of this node."""


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
    found = check(node, record.read_bytes(), read_source(source))
    output.say("\n".join(check_words(found)), found)


def check_words(found: Mapping[str, Any]) -> list[str]:
    """What a check found, in lines for the custodian: what is usable, and what would be left out."""
    words = [f"{found['rows']} rows; every bound column can be read."]
    if found["outside_period"]:
        words.append(f"  {found['outside_period']} rows are outside the period that the record states.")
    if found["without_person_key"]:
        words.append(f"  {found['without_person_key']} rows have no person key.")
    for binding in found["bindings"]:
        told = f"  {binding['column']} -> {binding['variable']}: recorded in {binding['recorded']} rows"
        if binding["unmapped"]:
            told += f"; {binding['unmapped']} codes without a concept, in {binding['unmapped_rows']} rows"
        words.append(told)
    return words


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
    kept = add(node, custodian, record.read_bytes(), read_source(source) if source else {}, publish=not draft)
    output.say(
        f"{kept.title}: {kept.state} at {kept.iri}", {"id": kept.id, "iri": kept.iri, "state": kept.state}
    )


def read_source(path: Path) -> dict[str, str]:
    """The source that a TOML file describes; a relative `path` in it is relative to the file."""
    try:
        told = dict(tomllib.loads(path.read_text(encoding="utf-8"))["source"])
    except (tomllib.TOMLDecodeError, KeyError, UnicodeDecodeError) as error:
        raise errors.NotValid(f"{path.name} is not a TOML file with a table [source].") from error
    if told.get("path"):
        told["path"] = str((path.parent / told["path"]).resolve())
    return told


@command.command(
    "search", epilog="Example: fairnode dataset search --variable region --variable year --year 2012"
)
@click.argument("words", nargs=-1)
@click.option("--variable", "variables", multiple=True, help="A variable that it must have; may be repeated.")
@click.option(
    "--year", "years", multiple=True, type=int, help="A year of which it has data; may be repeated."
)
@click.option("--organisation", default="", help="Kind of organisation, such as police or shelter.")
@with_node
@with_output
def search_datasets(node: Node, output: Output, **told: Any) -> None:
    """Search the datasets of the whole network, as far as their nodes published them."""
    found = search(node, Wanted(**told))
    rows = [
        [f.title, f.organisation, f"{f.years[0]}-{f.years[1]}", ", ".join(f.variables), f.iri] for f in found
    ]
    output.table("Datasets", ["title", "organisation", "years", "variables", "iri"], rows)
