"""fairnode rehearse: add made-up counts by real compute parties, and show every message."""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from fairnode.cli.output import Output, with_output
from fairnode.cli.synthetic import counted
from fairnode.cli.transcript import transcript_page
from fairnode.mpc.rehearsal import Rehearsal, rehearse

_SIZES = (0, 1, 2, 4, 8, 12, 20, 40, 90)


@click.command("rehearse", epilog="Example: fairnode rehearse --contributors 6 --page seen.html")
@click.option("--contributors", default=4, show_default=True, type=click.IntRange(3, 20))
@click.option("--parties", default="3", show_default=True, type=click.Choice(["3", "5"]))
@click.option("--cells", default=100, show_default=True, type=click.IntRange(1, 2000))
@click.option("--zeros", is_flag=True, help="All counts are zero: the messages look the same.")
@click.option(
    "--of",
    "folders",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="The folder of a node of a demo on this machine; repeat it. Its counts go in, if its data are synthetic.",
)
@click.option(
    "--by", "variable", default="exploitationForm", show_default=True, help="With --of: count by it."
)
@click.option(
    "--page",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write it as an HTML page for people.",
)
@with_output
def command(output: Output, parties: str, zeros: bool, page: Path | None, **asked: Any) -> None:
    """Add made-up counts by real compute parties on this machine, and show who sent what to whom.

    No node and no data are needed. Run it twice, once with --zeros: sizes and order of messages are the same,
    and what a party sees looks like coin tosses both times. With --page it is a page that says it in words, the
    zeros beside it; with --of the counts are those of a demo's nodes, refused unless their data are synthetic.
    """
    put_in = (
        _of_nodes(asked["folders"], asked["variable"])
        if asked["folders"]
        else _made_up(asked["contributors"], asked["cells"])
    )
    counts = [[0] * len(row) for row in put_in.counts] if zeros else put_in.counts
    made = rehearse(counts, int(parties), put_in.k)
    if page is not None:
        write_page(page, made, put_in)
    if output.as_json:
        output.say("", _facts(made))
        return
    _show(output, made)


@dataclass(frozen=True)
class PutIn:
    """What goes into a rehearsal: a row of counts for each name, one count for each cell; and K of the rule."""

    names: list[str]
    cells: list[str]
    counts: list[list[int]]
    k: int = 11


def _made_up(contributors: int, cells: int) -> PutIn:
    """Invented counts, the same each time."""
    draw = random.Random(0)  # noqa: S311 - nothing secret
    counts = [[draw.choice(_SIZES) for _ in range(cells)] for _ in range(contributors)]
    names = [f"Organisation {number + 1}" for number in range(contributors)]
    return PutIn(names, [str(number + 1) for number in range(cells)], counts)


def _of_nodes(folders: tuple[Path, ...], variable: str) -> PutIn:
    """What the nodes of a demo count of their synthetic data."""
    found = counted(folders, variable)
    names, counts = [one.organisation for one in found], [list(one.counts) for one in found]
    return PutIn(names, list(found[0].codes), counts, 22)  # one person may be at two of them


def write_page(path: Path, made: Rehearsal, put_in: PutIn) -> None:
    """The rehearsal as a page, beside the same with nothing but zeros."""
    zeros = rehearse([[0] * len(row) for row in made.counts], len(made.views), put_in.k)
    path.write_text(transcript_page(made, zeros, put_in.names, put_in.cells), encoding="utf-8")


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
