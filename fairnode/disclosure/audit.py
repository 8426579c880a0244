"""The promise of a complementary suppression with audit, and its question and answer as JSON.

The search itself needs a linear programming library, so it lives in `fairnode.jobs.lp_audit` and runs in a
child process. What it promises, for threshold k:

1. For every sensitive hidden count, an attacker who knows all shown counts exactly, and of every *other*
   hidden count whether it is 0, 1..k-1 or at least k (but for the wholes that it is a part of, where that
   would tell its own size), cannot bound it to an interval narrower than k. Where nothing that is left to
   hide can keep it from that one, it is kept from the next.
2. For every count hidden for the sake of others, an attacker who knows all shown counts exactly, and of
   the hidden ones that they are not negative, cannot bound it to an interval narrower than k.

Both attackers are stronger than anybody who sees the release, where shown counts are rounded and every
hidden cell says `hidden` only (P5). For a pair of hidden cells under a true total the first says that they
add up to at least 2k, as P5 asks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fairnode.disclosure.links import Item, Links, Relation
from fairnode.disclosure.told import Joint, Owner, Told


@dataclass(frozen=True)
class Question:
    """Hide what else, so that nothing sensitive can be found out? Within `seconds` of computing."""

    links: Links
    k: int
    seconds: float
    joints: tuple[Joint, ...] = ()


@dataclass(frozen=True)
class Answer:
    """Cells of this release to hide as well. `in_time` is False if the search ended in the fallback."""

    hide: tuple[Owner, ...]
    in_time: bool = True


Audit = Callable[[Question], Answer]


def needs_search(question: Question) -> bool:
    """Whether anything sensitive takes part in an equation, or in a joint: if not, no search is needed."""
    links = question.links
    return any(joint.matters for joint in question.joints) or any(
        links.items[index].hidden and (links.items[index].sensitive or links.items[index].guarded)
        for relation in links.relations
        for index in involved(relation)
    )


def involved(relation: Relation) -> tuple[int, ...]:
    """All items of an equation."""
    return (relation.whole, *relation.parts, *(() if relation.rest is None else (relation.rest,)))


def question_to_json(question: Question) -> dict[str, Any]:
    """The question for the child job."""
    return {
        "k": question.k,
        "seconds": question.seconds,
        "items": [
            [item.value, _owner_json(item.owner), item.hidden, item.sensitive, item.guarded]
            for item in question.links.items
        ],
        "relations": [[r.whole, list(r.parts), r.rest, r.sign] for r in question.links.relations],
        "joints": [
            {
                "sizes": joint.sizes,
                "counts": [[c.where, c.n, _owner_json(c.owner), c.shown, c.asked] for c in joint.counts],
            }
            for joint in question.joints
        ],
    }


def question_from_json(told: Mapping[str, Any]) -> Question:
    """The question that `question_to_json` wrote."""
    items = tuple(
        Item(
            value,
            _owner_from_json(owner),
            hidden,
            sensitive,
            guarded=guarded,
        )
        for value, owner, hidden, sensitive, guarded in told["items"]
    )
    relations = tuple(
        Relation(whole, tuple(parts), rest, sign) for whole, parts, rest, sign in told["relations"]
    )
    joints = tuple(
        Joint(tuple(joint["sizes"]), tuple(_told_from_json(*count) for count in joint["counts"]))
        for joint in told["joints"]
    )
    return Question(Links(items, relations), told["k"], told["seconds"], joints)


def answer_to_json(answer: Answer) -> dict[str, Any]:
    """The answer from the child job."""
    return {"hide": [_owner_json(owner) for owner in answer.hide], "inTime": answer.in_time}


def answer_from_json(told: Mapping[str, Any]) -> Answer:
    """The answer that `answer_to_json` wrote."""
    return Answer(tuple((table, tuple(key)) for table, key in told["hide"]), told["inTime"])


def _owner_json(owner: Owner | None) -> list[Any] | None:
    return None if owner is None else [owner[0], list(owner[1])]


def _owner_from_json(told: list[Any] | None) -> Owner | None:
    return None if told is None else (told[0], tuple(told[1]))


def _told_from_json(where: list[Any], n: int, owner: list[Any] | None, shown: Any, asked: Any) -> Told:
    conditions = tuple((variable, tuple(codes)) for variable, codes in where)
    return Told(conditions, n, _owner_from_json(owner), shown, asked)
