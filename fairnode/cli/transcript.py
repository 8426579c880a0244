"""The transcript of a rehearsal as one HTML file: what each party saw, beside what that did not tell it.

A file by itself: nothing in it is loaded from elsewhere, so that it can be shown in a meeting or sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import jinja2
from markupsafe import Markup

import fairnode
from fairnode.mpc.limits import limits
from fairnode.mpc.rehearsal import Rehearsal, Seen, View

_BARS, _WIDTH, _HEIGHT = 64, 640, 60
_MOST_CELLS = 15
_PARTS = "ABCDEFGHIJ"


@dataclass(frozen=True)
class Line:
    """A message that a party received, and the one in its place when all counts were zero."""

    seen: Seen
    zeros: Seen | None

    @property
    def begins(self) -> str:
        """Its first bytes as hex."""
        return _spaced(self.seen.begins)

    @property
    def begins_of_zeros(self) -> str:
        """The first bytes of the other run's message."""
        return _spaced(self.zeros.begins) if self.zeros else ""


@dataclass(frozen=True)
class PartyPage:
    """All that one party saw: of either run its view, and line by line what it received and sent."""

    number: int
    view: View
    zeros: View
    received: tuple[Line, ...]
    sent: int
    sent_bytes: int
    picture: Markup

    @property
    def size(self) -> int:
        """Bytes received."""
        return sum(line.seen.size for line in self.received)


@dataclass(frozen=True)
class Part:
    """One of the parts of a count: its letter, its number, and who has it and who has not."""

    letter: str
    number: int
    holders: tuple[int, ...]
    without: tuple[int, ...]


def transcript_page(made: Rehearsal, zeros: Rehearsal, names: Sequence[str], cells: Sequence[str]) -> str:
    """The page of a rehearsal on the counts of `names` by `cells`, and of the same with nothing but zeros."""
    shown = made.table["cells"]
    totals = [sum(column) for column in zip(*made.counts, strict=True)]
    cell = _telling(totals, shown)
    return _template().render(
        names=list(names),
        rows=list(zip(cells, zip(*made.counts, strict=True), totals, shown, strict=True))[:_MOST_CELLS],
        more=max(0, len(totals) - _MOST_CELLS),
        cell=cells[cell],
        count=made.counts[0][cell],
        parts=_parts(made, cell),
        parties=[_party(made, zeros, number) for number in range(len(made.views))],
        least=made.table["bound"],
        alike=_alike(made, zeros),
        limits=limits(len(made.views)),
        statistics=made.statistics,
        style=Markup((_folder() / "static" / "fairnode.css").read_text(encoding="utf-8")),  # noqa: S704 (own file)
    )


def _folder() -> Path:
    return Path(fairnode.__file__).parent


def _template() -> jinja2.Template:
    """The page's template; it stands alone, because no web process is needed to look at it."""
    loader = jinja2.FileSystemLoader(_folder() / "templates")
    return jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True).get_template(
        "transcript.html"
    )


def _telling(totals: Sequence[int], shown: Sequence[int | None]) -> int:
    """A cell that shows the point: the largest one that stayed hidden, else the first."""
    hidden = [i for i, n in enumerate(shown) if n is None and totals[i]]
    return max(hidden, key=lambda i: totals[i], default=0)


def _parts(made: Rehearsal, cell: int) -> list[Part]:
    """The parts of the first contributor's count in a cell."""
    everyone = range(len(made.views))
    return [
        Part(letter, numbers[cell], tuple(p for p in everyone if p not in without), without)
        for letter, (without, numbers) in zip(_PARTS, sorted(made.held[0].parts), strict=False)
    ]


def _party(made: Rehearsal, zeros: Rehearsal, number: int) -> PartyPage:
    received = [[s for s in run.messages if s.receiver == number] for run in (made, zeros)]
    # Two parties' messages may come in another order; those of one sender never do.
    lines = [
        Line(seen, other)
        for sender in sorted({s.sender for s in received[0]})
        for seen, other in zip_longest(*([s for s in run if s.sender == sender] for run in received))
        if seen is not None
    ]
    sent = [s for s in made.messages if s.sender == number]
    return PartyPage(
        number=number,
        view=made.views[number],
        zeros=zeros.views[number],
        received=tuple(sorted(lines, key=lambda line: (line.seen.turn, line.seen.sender))),
        sent=len(sent),
        sent_bytes=sum(s.size for s in sent),
        picture=_picture(made.views[number], zeros.views[number]),
    )


def _alike(made: Rehearsal, zeros: Rehearsal) -> bool:
    """Whether both runs sent the same messages: from whom to whom, of what size, in which order."""
    shapes = [
        sorted((s.sender, s.receiver, place) for place, s in enumerate(_of_pairs(run)))
        for run in (made, zeros)
    ]
    sizes = [[(s.sender, s.receiver, s.size, s.what) for s in _of_pairs(run)] for run in (made, zeros)]
    return shapes[0] == shapes[1] and sizes[0] == sizes[1]


def _of_pairs(run: Rehearsal) -> list[Seen]:
    """All messages, pair by pair, each pair's in their order."""
    return sorted(run.messages, key=lambda s: (s.sender, s.receiver))


def _picture(view: View, zeros: View) -> Markup:
    """How often each value of a byte came, in both runs: flat, if they are like coin tosses."""
    drawings = [
        _bars(each, top, fill, words)
        for each, top, fill, words in (
            (view, 0, "var(--accent)", "with the counts"),
            (zeros, _HEIGHT + 34, "var(--soft)", "with nothing but zeros"),
        )
    ]
    height = 2 * _HEIGHT + 60
    return Markup(  # noqa: S704 (numbers and own words)
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" '
        f'height="{height}" font-family="system-ui, sans-serif" font-size="13" fill="currentColor">'
        "<title>How often each value of a byte came, with the counts and with nothing but zeros</title>"
        f"{''.join(drawings)}</svg>"
    )


def _bars(view: View, top: int, fill: str, words: str) -> str:
    step = 256 // _BARS
    counted = [sum(view.counted[i : i + step]) for i in range(0, 256, step)]
    most = max([*counted, 1])
    width = _WIDTH / _BARS
    bars = "".join(
        f'<rect x="{i * width:g}" y="{top + _HEIGHT - _HEIGHT * n / most:g}" width="{width - 1:g}" '
        f'height="{_HEIGHT * n / most:g}" fill="{fill}"/>'
        for i, n in enumerate(counted)
    )
    return f'{bars}<text x="0" y="{top + _HEIGHT + 16}">bytes from 00 to ff, {words}</text>'


def _spaced(octets: bytes) -> str:
    return octets.hex(" ")
