"""Text of strangers: what may be kept, and what a terminal is shown.

A title with commands for a terminal, with text that turns its direction or with invisible letters is not what
the person who approves it reads.
"""

from __future__ import annotations

import json
import unicodedata

# Control, format, surrogate, private, unassigned; the separators of lines and paragraphs.
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_JOINERS = "\u200c\u200d"  # several scripts cannot be written without them
_BREAKS = "\n\t"


def reads_as_written(text: str, *, lines: bool = False) -> bool:
    """Whether a text is what it looks like; with `lines`, it may be broken into lines."""
    allowed = _JOINERS + _BREAKS if lines else _JOINERS
    return all(letter in allowed or unicodedata.category(letter) not in _HIDDEN for letter in text)


def for_terminal(text: str) -> str:
    """A text in which everything that would do something to a terminal is written out, as JSON writes it."""
    return "".join(
        letter
        if letter in _JOINERS + _BREAKS or unicodedata.category(letter) not in _HIDDEN
        else json.dumps(letter)[1:-1]
        for letter in text
    )
