"""fairnode dataset profile and twin: what may be told of the data, and synthetic rows made from that."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from fairnode.cli.options import Me, signer, who, with_node, with_token
from fairnode.cli.output import Output, with_output
from fairnode.keys import digest
from fairnode.metadata.keep import dataset
from fairnode.metadata.profiled import shown_range
from fairnode.node import Node
from fairnode.profiles.measure import Measured, forget_draft, measure
from fairnode.profiles.noise import drawn, measure_with_noise
from fairnode.profiles.publish import block_of, check_may_publish, publish, withdraw
from fairnode.profiles.twin import draw
from fairnode.records.profile import profile_to_json
from fairnode.records.rows import Dataset

MOST_LINES = 30
BARS = (
    "To publish it is a local release (P6): studies that combine these variables of this dataset over "
    "organisations are refused from then on, for as long as the gate remembers it."
)


@click.command("profile", epilog="Example: fairnode dataset profile cases --variable sex --variable year")
@click.argument("key", metavar="DATASET")
@click.option("--variable", "variables", multiple=True, help="A variable to tell of; else all of them.")
@click.option("--publish", "seen", default="", metavar="HASH", help="Publish what was shown under this hash.")
@click.option("--epsilon", default="", help="Counts with noise, at this privacy loss; it is charged at once.")
@click.option("--withdraw", "off", is_flag=True, help="Take the profile off the record.")
@with_node
@with_token
@with_output
def profile_dataset(node: Node, output: Output, me: Me, key: str, **told: Any) -> None:
    """Show what a dataset's record could tell of its variables, what stays hidden, and why.

    Counted in a process of its own and judged by the gate's rules; nothing leaves until a custodian publishes
    exactly what they saw, with --publish and the hash that is shown.
    """
    person = who(node, me)
    check_may_publish(person)
    row = dataset(node, key)
    if told["off"]:
        after = withdraw(node, person, row)
        output.say(f"The profile is off the record, version {after.version}.", {"version": after.version})
        return
    measured = _measured(node, row, told)
    try:
        block = digest(block_of(row, measured))
        facts = {**_facts(measured), "hash": block}
        if not told["seen"]:
            output.say("\n".join(_words(measured, block, row.id)), facts)
            return
        after = publish(node, signer(node, me), row, measured, told["seen"])
    finally:
        if not told["epsilon"]:
            forget_draft(measured, node)
    twin = draw(node, after)
    words = (
        f"Published in version {after.version} of the record; a twin of {twin.rows} rows was drawn from it."
    )
    output.say(words, {**facts, "version": after.version, "rows": twin.rows})


def _measured(node: Node, row: Dataset, told: dict[str, Any]) -> Measured:
    """What is to be shown or published; counts with noise are drawn once."""
    if not told["epsilon"]:
        return measure(node, row, told["variables"])
    if told["seen"]:
        return drawn(node, told["seen"])
    return measure_with_noise(node, row, told["variables"], told["epsilon"])


@click.command("twin", epilog="Example: fairnode dataset twin cases")
@click.argument("key", metavar="DATASET")
@with_node
@with_output
def twin_dataset(node: Node, output: Output, key: str) -> None:
    """Draw a dataset's synthetic twin from its record alone; everybody can then download it.

    The worker does this by itself for datasets that can be visited.
    """
    row = dataset(node, key)
    twin = draw(node, row)
    after = "the published profile" if twin.profiled else "its code lists alone, with invented weights"
    words = f"The twin has {twin.rows} rows, drawn from {after}: {node.iri}/sample/{row.id}.csv and .parquet"
    output.say(
        words, {"rows": twin.rows, "basis": twin.basis, "profiled": twin.profiled, "files": twin.files}
    )


def _facts(measured: Measured) -> dict[str, Any]:
    """The measurement for machines."""
    return {
        "profile": profile_to_json(measured.profile),
        "hidden": [[h.variable, h.code, h.rule] for h in measured.hidden],
        "leftOut": [list(pair) for pair in measured.left_out],
        "stood": list(measured.stood),
        "notes": list(measured.notes),
        "new": measured.memory is not None,
    }


def _words(measured: Measured, block: str, key: str) -> Iterator[str]:
    """The measurement for people."""
    profile = measured.profile
    yield f"{profile.records} {profile.counted}s (rounded to 10). What would be told:"
    for told in profile.variables:
        share, ends = profile.missing_share(told), shown_range(told)
        missing = "hidden" if share is None else f"{share:.0%}"
        span = f", {ends[0]} to {ends[1]}" if ends else ""
        yield f"  {told.variable}: {len(told.shown)} codes seen{span}; not recorded: {missing}"
        yield from _first([f"    {code}: {count}" for code, count in told.shown])
    if measured.hidden:
        yield "What stays hidden, for your eyes only:"
        yield from _hidden(measured)
    yield from (f"Left out: {name}. {why}" for name, why in measured.left_out)
    if measured.stood:
        yield (
            f"As told before, because fewer than 11 persons changed in some cell: {', '.join(measured.stood)}"
        )
    yield from measured.notes
    yield BARS
    more = f"--epsilon {profile.epsilon}" if profile.epsilon else "and the same --variable"
    yield f"To publish exactly this: fairnode dataset profile {key} --publish {block} ({more})"


def _hidden(measured: Measured) -> Iterator[str]:
    """The hidden codes by variable and rule, then each rule once in words."""
    codes: dict[tuple[str, str], list[str]] = {}
    for cell in measured.hidden:
        codes.setdefault((cell.variable, cell.rule), []).append(cell.code)
    for (variable, rule), told in codes.items():
        more = f" and {len(told) - 8} more" if len(told) > 8 else ""
        yield f"  {variable} [{rule}]: {', '.join(told[:8])}{more}"
    yield from (
        f"  [{rule}] {why}" for rule, why in {cell.rule: cell.why for cell in measured.hidden}.items()
    )


def _first(lines: list[str]) -> Iterator[str]:
    yield from lines[:MOST_LINES]
    if len(lines) > MOST_LINES:
        yield f"    ... and {len(lines) - MOST_LINES} more; --json lists all."
