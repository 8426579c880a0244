"""What a page says of a computation: what goes in and what is opened to whom, in the program's own words."""

from __future__ import annotations

import importlib
import re

from fairnode.mpc.programs.contract import Program

_HEADING = re.compile(r"\*\*([A-Z][a-z ]+)\.\*\*\s+")


def parts_of(program: Program) -> tuple[tuple[str, str], ...]:
    """Headings and paragraphs of what a program says of itself: the docstring of its first source."""
    text = (importlib.import_module(program.sources[0]).__doc__ or "").replace("`", "")
    pieces = _HEADING.split(text)
    return tuple(
        (heading, " ".join(body.split())) for heading, body in zip(pieces[1::2], pieces[2::2], strict=True)
    )
