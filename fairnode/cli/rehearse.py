"""fairnode rehearse: add made-up counts by real compute parties, and show every message."""

from __future__ import annotations

import random
from dataclasses import asdict

import click

from fairnode.cli.output import Output, with_output
from fairnode.mpc.rehearsal import Rehearsal, rehearse

_SIZES = (0, 1, 2, 4, 8, 12, 20, 40, 90)


@click.command("rehearse", epilog="Example: fairnode rehearse --contributors 6 --cells 200")
@click.option("--contributors", default=4, show_default=True, type=click.IntRange(3, 20))
@click.option("--parties", default="3", show_default=True, type=click.Choice(["3", "5"]))
@click.option("--cells", default=100, show_default=True, type=click.IntRange(1, 2000))
@click.option("--zeros", is_flag=True, help="All counts are zero: the messages look the same.")
@with_output
def command(output: Output, contributors: int, parties: str, cells: int, zeros: bool) -> None:
    """Add made-up counts by real compute parties on this machine, and show who sent what to whom.

    No node and no data are needed. Run it twice, once with --zeros: sizes and order of messages are the same,
    and what a party sees looks like coin tosses both times.
    """
    draw = random.Random(0)  # noqa: S311 - invented counts, the same each time
    counts = [[0 if zeros else draw.choice(_SIZES) for _ in range(cells)] for _ in range(contributors)]
    made = rehearse(counts, int(parties))
    if output.as_json:
        output.say("", _facts(made))
        return
    _show(output, made)


def _show(output: Output, made: Rehearsal) -> None:
    sums = [sum(column) for column in zip(*made.counts, strict=True)]
    rows = [
        [i, *column, total, "hidden" if shown is None else shown]
        for i, (column, total, shown) in enumerate(
            zip(zip(*made.counts, strict=True), sums, made.table["cells"], strict=True)
        )
    ]
    senders = [f"organisation {i + 1}" for i in range(len(made.counts))]
    output.table(
        "Counts that went in as shares (first cells), and what came out",
        ["cell", *senders, "total, seen by nobody", "opened to the recipient"],
        rows[:12],
    )
    output.table(
        "Messages between compute parties",
        ["no.", "from", "to", "bytes", "what it is"],
        [[i + 1, s.sender, s.receiver, s.size, s.what] for i, s in enumerate(made.messages)],
    )
    output.table(
        "What each compute party saw of the others' masked words",
        ["party", "bytes", "bits that are one", "chance that coin tosses are as uneven"],
        [[v.party, v.octets, f"{v.ones:.4f}", f"{v.chance:.3f}"] for v in made.views],
    )
    output.table(
        "The run at each party",
        ["party", "seconds", "bytes sent", "messages", "rounds", "values opened to it"],
        [[s.party, s.seconds, s.bytes_sent, s.messages, s.rounds, s.opened_values] for s in made.statistics],
    )


def _facts(made: Rehearsal) -> dict[str, object]:
    return {
        "counts": made.counts,
        "table": made.table,
        "messages": [
            {"from": s.sender, "to": s.receiver, "bytes": s.size, "what": s.what} for s in made.messages
        ],
        "views": [asdict(view) for view in made.views],
        "statistics": [each.to_json() for each in made.statistics],
    }
