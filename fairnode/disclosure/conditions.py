"""Conditions in the finest variables that are known for them."""

from __future__ import annotations

from collections.abc import Mapping

from fairnode.disclosure.history import Finer
from fairnode.records.result import Condition

Conditions = Mapping[str, frozenset[str]]
"""Variable -> the codes of it that count."""

_DEEP = 3  # runs of broad bands consist of broad bands, those of fine ones


def finest(condition: Condition, finer: Finer) -> tuple[str, frozenset[str]]:
    """A condition in the finest variable that is known for it: that variable and its codes."""
    opened = {(condition.variable, code) for code in condition.codes}
    for _ in range(_DEEP):
        opened = {
            (variable, code)
            for broad in opened
            for variable, codes in [finer.get(broad, (broad[0], frozenset({broad[1]})))]
            for code in codes
        }
    others = {variable for variable, _ in opened} - {condition.variable}
    return min(others, default=condition.variable), frozenset(code for _, code in opened)
