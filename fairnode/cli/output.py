"""What a command prints: words and tables for people, one JSON value with --json."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.table import Table

from fairnode import errors
from fairnode.letters import for_terminal

LONGEST_NAME = 24
"""Of what names a row of a table: it is copied from there, so it is not broken over lines."""

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True)
class Output:
    """Where a command's words go."""

    as_json: bool

    def say(self, words: str, facts: Mapping[str, Any]) -> None:
        """A sentence for people; its facts for machines."""
        click.echo(json.dumps(facts, indent=1, default=str) if self.as_json else for_terminal(words))

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """A table for people; a list of objects for machines."""
        if self.as_json:
            told = [dict(zip(columns, row, strict=True)) for row in rows]
            click.echo(json.dumps(told, indent=1, default=str))
            return
        table = Table(title=title, title_justify="left")
        for place, column in enumerate(columns):
            name = place == 0 and all(len(str(row[0])) <= LONGEST_NAME for row in rows)
            table.add_column(column, overflow="fold", no_wrap=name)
        for row in rows:
            table.add_row(*(for_terminal(str(value)) for value in row))
        console = Console(highlight=False, markup=False)
        console.print(table if rows else f"{title}: nothing")

    def error(self, error: errors.FairnodeError) -> None:
        """An error: the sentence for people, problem+json's fields for machines; on standard error."""
        if not self.as_json:
            click.echo(for_terminal(f"{error}"), err=True)
            return
        told = {
            "type": f"https://w3id.org/fairnode/problem/{error.code}",
            "title": error.title,
            "status": error.http_status,
            "detail": error.what,
            "toDo": error.to_do,
            "findings": [{"where": f.where, "what": f.what} for f in error.findings],
        }
        click.echo(json.dumps(told, indent=1), err=True)


def with_output(function: Command) -> Command:
    """Give a command the option --json, which it gets as `output: Output`."""

    def make(ctx: click.Context, param: click.Parameter, value: bool) -> Output:
        del ctx, param
        return Output(value)

    return click.option(
        "--json", "output", is_flag=True, callback=make, expose_value=True, help="Print JSON for machines."
    )(function)
