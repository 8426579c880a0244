"""fairnode dataset describe: a proposal of a record from the data themselves; a person answers what is unsure."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from fairnode import errors, vocabulary
from fairnode.child import run_child
from fairnode.cli.options import with_node
from fairnode.cli.output import Output, with_output
from fairnode.datasets.add import check
from fairnode.datasets.describe import Profile, bind_as, likely_code
from fairnode.datasets.drafting import Details, record_turtle, source_toml
from fairnode.datasets.source import guess_source, look_at_text
from fairnode.metadata.check import check_record
from fairnode.node import Node
from fairnode.records.dataset import Binding, Source, to_json

_NONE = "-"
_REGIMES = ("GDPR", "WPG", "LED")
_UNITS = ("registration", "case", "victim")


@click.command("describe", epilog="Example: fairnode dataset describe cases.csv --to record --yes")
@click.argument("data", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--table", default="", help="The table, of a database.")
@click.option("--sheet", default="", help="The sheet, of a workbook.")
@click.option("--dsn", default="", help="Where the database is, instead of a file: postgresql://...")
@click.option("--name", default="", help="A short name for its IRI: a-z, 0-9 and -; else that of the file.")
@click.option("--to", "folder", default=".", type=click.Path(file_okay=False, path_type=Path),
              help="Where record.ttl and source.toml are written.", show_default=True)  # fmt: skip
@click.option("--yes", is_flag=True, help="Take every proposal; what is unsure is left out.")
@with_node
@with_output
def describe_dataset(
    node: Node, output: Output, data: Path | None, folder: Path, yes: bool, **told: str
) -> None:
    """Look at a file or table, propose its record, ask what is unsure, and write record.ttl and source.toml.

    The data are read in a process of their own and stay where they are; no value of them but the codes that
    you bind gets into the record. Nothing is published: look at both files, then `fairnode dataset add`.
    """
    source = _source(data, told["table"], told["sheet"], told["dsn"])
    name = _short(told["name"] or (data.stem if data else told["table"]))
    iri = f"{node.iri}/dataset/{name}"
    job = {"source": to_json(source), "iri": iri, "title": name}
    look = run_child("profile", job, spool=node.config.spool, seconds=1800.0)
    bindings, open_questions = _bindings(look, yes)
    details = _details(node, name, look, yes)
    record = record_turtle(iri, details, bindings)
    check_record(node, record.encode())
    found = check(node, record.encode(), to_json(source))
    files = _write(folder, record, source_toml(source))
    words = [f"{files[0]} and {files[1]} are written.", *in_words(found)]
    words += [f"left open: {question}" for question in open_questions]
    words.append(f"Next: fairnode dataset add {files[0]} --source {files[1]}")
    facts = {
        "record": str(files[0]),
        "source": str(files[1]),
        "iri": iri,
        "open": open_questions,
        "check": found,
    }
    output.say("\n".join(words), facts)


def _source(data: Path | None, table: str, sheet: str, dsn: str) -> Source:
    """Where the rows are, with what can be seen from the file."""
    if data is None:
        if not dsn or not table:
            raise errors.NotValid("Name a file, or a database with --dsn and --table.")
        return Source("postgresql", dsn=dsn, table=table)
    source = replace(guess_source(data.resolve()), table=table, sheet=sheet)
    if source.kind == "csv":
        encoding, delimiter = look_at_text(data)
        source = replace(source, encoding=encoding, delimiter=delimiter)
    return source


def _short(name: str) -> str:
    """A name as it may stand in an IRI."""
    short = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:64].strip("-")
    if not short:
        raise errors.NotValid("The dataset needs a short name.", to_do="Give one with --name.")
    return short


def _bindings(look: dict[str, Any], yes: bool) -> tuple[list[Binding], list[str]]:
    """The bindings proposed, corrected and completed by a person; and the questions that stay open."""
    bindings = [
        Binding(**{**row, "codes": tuple(map(tuple, row["codes"])), "missing": tuple(row["missing"])})
        for row in look["bindings"]
    ]
    if yes:
        if not bindings:
            raise errors.NotValid(
                "No column was recognised by its name.", to_do="Describe it without --yes, and name them."
            )
        return bindings, list(look["questions"])
    profiles = [Profile(**{**row, "values": tuple(row["values"]), "formats": tuple(row["formats"])})
                for row in look["columns"]]  # fmt: skip
    for profile in profiles:
        bindings = _ask_column(profile, bindings)
    return bindings, []


def _ask_column(profile: Profile, bindings: list[Binding]) -> list[Binding]:
    """Ask about one column what the look at it left open."""
    mine = [binding for binding in bindings if binding.column == profile.name]
    others = [binding for binding in bindings if binding.column != profile.name]
    taken = {binding.variable for binding in others}
    if not mine:
        name = _ask_variable(profile, taken)
        if name == _NONE:
            return bindings
        mine = [binding for binding in bind_as(profile, name)[0] if binding.variable not in taken]
    if len(profile.formats) > 1 and any(binding.format or binding.derive for binding in mine):
        written = click.prompt(
            f"How are the dates in '{profile.name}' written?",
            default=profile.formats[0],
            type=click.Choice(profile.formats),
        )
        mine = [replace(binding, format=written) for binding in mine]
    return [*others, *(_ask_codes(profile, binding) for binding in mine)]


def _ask_variable(profile: Profile, taken: set[str]) -> str:
    """Which variable a column carries; `-` for none."""
    known = [name for name in vocabulary.variables() if name not in taken]
    about = f"{profile.recorded} of {profile.rows} rows, {profile.kind}"
    return str(
        click.prompt(
            f"Which variable is the column '{profile.name}' ({about})? {_NONE} for none",
            default=_NONE,
            show_choices=False,
            type=click.Choice([_NONE, *known]),
        )
    )


def _ask_codes(profile: Profile, binding: Binding) -> Binding:
    """What the local codes mean that were not recognised; `-` leaves one out."""
    variable = vocabulary.variable(binding.variable)
    if variable.kind != "coded" or binding.derive or set(profile.values) <= set(variable.notations):
        return binding
    codes = dict(binding.codes)
    for local in profile.values:
        if local not in codes:
            meant = click.prompt(
                f"What does '{local}' in '{profile.name}' ({variable.label_en}) mean? {_NONE} for not recorded",
                default=likely_code(variable, local) or _NONE,
                show_choices=len(variable.notations) <= 30,
                type=click.Choice([_NONE, *variable.notations]),
            )
            if meant != _NONE:
                codes[local] = meant
    missing = tuple(sorted(set(profile.values) - set(codes)))
    return replace(binding, codes=tuple(sorted(codes.items())), missing=missing)


def _details(node: Node, name: str, look: dict[str, Any], yes: bool) -> Details:
    """What the record says beside its bindings."""
    organisation = node.config.organisation
    title = name.replace("-", " ").capitalize()
    proposed = Details(
        title=title,
        description=f"{title}: records kept by {organisation.name}, one row a registration.",
        years=(look["years"][0], look["years"][1]),
        licence="https://creativecommons.org/licenses/by/4.0/",
        contact_name=organisation.name,
        contact=f"mailto:{organisation.email}" if organisation.email else organisation.homepage or node.iri,
        regime="htpol:WPG" if organisation.kind == "police" else "htpol:GDPR",
        organisation=organisation.kind,
    )
    return proposed if yes else _ask_details(proposed)


def _ask_details(proposed: Details) -> Details:
    """Ask for each of them, with the proposal as default."""
    first, last = proposed.years
    unit = click.prompt("What is one row?", default=_UNITS[0], type=click.Choice(_UNITS))
    regime = click.prompt(
        "Under which law are the data kept?",
        default=proposed.regime.removeprefix("htpol:"),
        type=click.Choice(_REGIMES),
    )
    contact = click.prompt("Their e-mail address, or the address of a page", default=proposed.contact)
    contact = contact.removeprefix("mailto:")
    return replace(
        proposed,
        title=click.prompt("Title", default=proposed.title),
        description=click.prompt(
            "What are the records about, who keeps them and why?", default=proposed.description
        ),
        years=(click.prompt("First year", default=first), click.prompt("Last year", default=last)),
        licence=_iri(click.prompt("Licence of what is released (IRI)", default=proposed.licence)),
        contact_name=click.prompt("Who answers questions?", default=proposed.contact_name),
        contact=_iri(contact if "://" in contact else f"mailto:{contact}"),
        unit=f"ht:{unit.capitalize()}",
        regime=f"htpol:{regime}",
    )


def _iri(text: str) -> str:
    """An address as it may stand in a record."""
    if not re.fullmatch(r'[a-z][a-z0-9+.-]*:[^\s<>"{}|^`\\]+', text):
        raise errors.NotValid(f"'{text[:100]}' is no address.")
    return text


def _write(folder: Path, record: str, source: str) -> tuple[Path, Path]:
    """Write both files; neither is written over."""
    folder.mkdir(parents=True, exist_ok=True)
    files = (folder / "record.ttl", folder / "source.toml")
    for path, text in zip(files, (record, source), strict=True):
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError as error:
            raise errors.Conflict(
                f"{path.name} is there already.", to_do="Give another folder with --to."
            ) from error
    files[1].chmod(0o600)
    return files


def in_words(found: dict[str, Any]) -> list[str]:
    """What a check of a record against its data found, for the custodian."""
    words = [f"{found['rows']} rows; every bound column can be read."]
    if found["outside_period"]:
        words.append(f"  {found['outside_period']} rows are outside the period of the record and never read")
    if found["without_person_key"]:
        words.append(f"  {found['without_person_key']} rows have no person key")
    for row in found["bindings"]:
        if row["unmapped"]:
            words.append(
                f"  {row['column']} ({row['variable']}): {row['unmapped']} codes in {row['unmapped_rows']} rows "
                "have no concept and count as not recorded"
            )
    return words
