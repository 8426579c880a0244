"""The promise of a complementary suppression with audit, and its question and answer as JSON.

The search itself needs a linear programming library, so it lives in `fairnode.jobs.lp_audit` and runs in a
child process. What it promises, for threshold k:

1. For every sensitive count of a hidden cell, an attacker who adds up tables two by two, knows all shown counts
   exactly, and of every *other* hidden cell, and of every margin, whether it is 0, 1..k-1 or at least k (but for
   the wholes that it is a part of, where that would tell its own size), cannot bound it to an interval narrower
   than k. Where nothing that is left to hide can keep it from that one, it is kept from the next.
2. For every count of a hidden cell, of this release or an earlier one, whatever it was hidden for, an attacker who
   knows all counts shown now and before exactly, of the others that they are not negative, and solves all of it
   as one system (`fairnode.disclosure.told`), cannot bound it to an interval narrower than k; nor, where
   earlier releases did so already, narrower than they do. The second promise of a proportion is about its
   small sides only. What a cell was hidden for that is no count (dominance) is no part of it.
3. For every small difference between sums of two tables (a few persons with nothing recorded, or outside a
   filter), an attacker who adds up tables two by two and knows all shown counts exactly cannot either.

All are stronger than anybody who sees the release, where shown counts are rounded and every hidden cell says
`hidden` only (P5). For a pair of hidden cells under a true total the first says that they add up to at
least 2k, as P5 asks. The class of a difference is nobody's to know: no cell says that it is hidden.

Earlier counts may be of other data than those of now. Where together they contradict each other, they are changed
as little as makes them fit, earlier ones first, and the attacker is one who believes that nothing else happened;
a second one looks at this release alone, as it is. What a few changed persons tell is `differencing`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fairnode.disclosure.links import Item, Links, Relation
from fairnode.disclosure.told import Joint, Owner, Told


@dataclass(frozen=True)
class Question:
    """Hide what else, so that nothing sensitive can be found out? Within `seconds` of computing.

    `links` are the sums of pairs of tables, `joints` everything that was told.
    """

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
