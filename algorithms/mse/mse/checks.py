"""When no estimate may be given at all, and what a reader must be warned of."""

from __future__ import annotations

from .errors import Refusal
from .table import Table

MAX_LISTS = 10
FEW_OVERLAPS = 11
FEW_PERSONS = 200


def refusals(table: Table) -> list[Refusal]:
    """Reasons to give no estimate of this table by any method, worst first."""
    lists = len(table.lists)
    if lists < 3:
        return [_too_few(lists)]
    if lists > MAX_LISTS:
        return [
            Refusal(
                "too-many-lists",
                f"The table has {lists} lists; at most {MAX_LISTS} are estimated. "
                "Merge lists of the same kind of organisation: with so many, nearly every pattern is empty.",
            )
        ]
    found = [*_alone(table)]
    once = table.by_lists[0]
    if once == 0:
        found.append(
            Refusal(
                "nobody-on-one-list",
                "Nobody is on exactly one list: lists that all hold the "
                "same persons say nothing about persons on none.",
            )
        )
    return found


def _too_few(lists: int) -> Refusal:
    if lists == 1:
        return Refusal(
            "one-list",
            "The table has one list. Unseen persons can be estimated from the overlap of "
            "lists only; at least three are needed.",
        )
    return Refusal(
        "two-lists",
        "The table has two lists. The Lincoln-Petersen and Chapman estimators exist for "
        "two, but they stand on independence of the lists, which two lists can never check; no final "
        "number is given. At least three lists are needed.",
    )


def _alone(table: Table) -> list[Refusal]:
    shared = {name: sum(v for pair, v in table.overlaps.items() if name in pair) for name in table.lists}
    sizes = dict(zip(table.lists, table.list_sizes, strict=True))
    alone = [name for name in table.lists if shared[name] == 0]
    empty = [name for name in alone if sizes[name] == 0]
    if empty:
        return [
            Refusal("empty-list", f"Nobody is on {_named(empty)}. Leave out the column, or find out why.")
        ]
    if len(alone) == len(table.lists):
        return [
            Refusal(
                "no-overlap",
                "No person is on two lists: the lists never overlap, so nothing tells how "
                "many persons they miss. Check the linkage before anything else.",
            )
        ]
    if alone:
        return [
            Refusal(
                "isolated-list",
                f"{_named(alone).capitalize()} shares no person with any other list, so "
                "nothing ties it to the rest. Check its linkage, merge it with a list of the same kind, "
                "or leave it out and say so.",
            )
        ]
    return []


def _named(names: list[str]) -> str:
    return ("list " if len(names) == 1 else "lists ") + ", ".join(names)


def cautions(table: Table) -> list[Refusal]:
    """Warnings that go with every estimate of this table; their `code` is stable."""
    several = sum(table.by_lists[1:])
    empty = [" and ".join(pair) for pair, persons in table.overlaps.items() if persons == 0]
    found = []
    if several < FEW_OVERLAPS:
        found.append(
            Refusal(
                "few-overlaps",
                f"Only {several} persons are on two or more lists; every estimate "
                "rests on them. Tables that need protection are not estimated below 11.",
            )
        )
    if table.persons < FEW_PERSONS:
        found.append(
            Refusal(
                "few-persons",
                f"The table counts {table.persons} persons; below {FEW_PERSONS} "
                "intervals are unreliable and protected tables are not estimated.",
            )
        )
    if empty:
        found.append(
            Refusal(
                "empty-overlaps",
                f"Nobody is on both {'; '.join(empty)}. A model with such a pair "
                "takes it as impossible (minus infinity).",
            )
        )
    return found
