"""What a page says of a computation: what is opened to whom, in the program's own words, and its limits."""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass

from fairnode.mpc.programs.contract import Parameters, Program

_SEMI_HONEST = (
    "The compute parties are taken to follow the program: what they see on the way tells them nothing, even "
    "if one of three, or two of five, put everything together. If more of them do, they can open every input."
)
_INPUTS = (
    "An organisation that puts in other numbers than its data have shifts the result. Nobody can see that "
    "while computing. Numbers outside the agreed range cannot be put in, and a signed commitment to what was "
    "put in is kept, so that it can be compared later."
)
_DEVIATION = (
    "A compute party that leaves the program can make a result wrong. A changed share of the result is "
    "noticed, because the recipient gets more copies than are needed; a wrong step before it is not."
)
_NEW = "The programs are new and have not been reviewed by a cryptographer from outside."
LIMITS = (_SEMI_HONEST, _INPUTS, _DEVIATION, _NEW)
"""P22 of the privacy model, for people: shown wherever a computation is."""

_HEADING = re.compile(r"\*\*([A-Z][a-z ]+)\.\*\*\s+")


@dataclass(frozen=True)
class Statement:
    """`what`: this computation in a sentence or two; `parts`: headings and paragraphs of the program's text,
    such as "Shape" and "What is opened"; `limits`: what no program of this kind can do.
    """

    program: str
    version: str
    digest: str
    what: str
    parts: tuple[tuple[str, str], ...]
    limits: tuple[str, ...] = LIMITS


def statement(program: Program, parameters: Parameters) -> Statement:
    """The statement of `program` with these parameters."""
    what = program.describe(parameters)
    return Statement(program.name, program.version, program.digest, what, parts_of(program))


def parts_of(program: Program) -> tuple[tuple[str, str], ...]:
    """Headings and paragraphs of what a program says of itself: the docstring of its first source."""
    text = (importlib.import_module(program.sources[0]).__doc__ or "").replace("`", "")
    pieces = _HEADING.split(text)
    return tuple(
        (heading, " ".join(body.split())) for heading, body in zip(pieces[1::2], pieces[2::2], strict=True)
    )
