"""The reviews of class B results: who may give them, what they see, and what follows when all are in.

A review is signed like an approval, over the hash of exactly the tables that would leave. Nobody sees
another's before all are in; then unanimous approval lets the result pass and anything else blocks it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from fairnode import clock, errors, vocabulary
from fairnode.approvals.decide import DECIDING, tell_home
from fairnode.approvals.statement import Signer, open_statement, sign_statement, statement
from fairnode.disclosure.rules import RuleSet
from fairnode.gate.class_b import small_numbers
from fairnode.gate.refusals import Refusal, Refused
from fairnode.gate.reviews import Opinion, ReviewState, review_state, visible_reviews
from fairnode.gate.reviews import Review as Given
from fairnode.keys import canonical, digest
from fairnode.ledger.commit import Entry, commit
from fairnode.node import Node
from fairnode.records.result import Key
from fairnode.records.result_json import tables_from_json
from fairnode.records.review import Review
from fairnode.records.rows import Algorithm, Earlier, Person, PersonKey, Quarantine, Release, Request, Visit
from fairnode.records.states import VisitState
from fairnode.store.database import Reader, Transaction
from fairnode.studies.document import read_study_bytes

# What the run on permuted rows said, for people.
_RERUN = {
    "same": "A second run on the same rows in another order gave the same numbers. That is as it should be, "
    "and proves nothing: a program may look for a record by its values.",
    "different": "A second run on the same rows in another order gave other numbers. A statistic does not "
    "depend on the order of rows: either chance plays a part in it, or it tells of single records.",
    "failed": "The second run, on the same rows in another order, did not end well, so nothing can be said "
    "of whether the numbers depend on the order of rows.",
}


@dataclass(frozen=True)
class Matter:
    """One result under review. `content` is what a review signs; `verdict` is what the gate kept of it."""

    visit: Visit
    study: dict[str, Any]
    content: dict[str, Any]
    verdict: dict[str, Any]
    author: str
    algorithm: dict[str, str]
    reviews: tuple[Review, ...]
    rules: RuleSet

    @property
    def excluded(self) -> frozenset[str]:
        """Who may not review: the requester and the algorithm's author."""
        return frozenset({str(self.study["requester"]["id"]), self.author})

    @property
    def given(self) -> tuple[Given, ...]:
        """The reviews as the rule about them takes them."""
        return tuple(Given(review.person, Opinion(review.opinion)) for review in self.reviews)

    @property
    def small(self) -> list[tuple[str, Key]]:
        """The numbers that could be counts of few persons: whoever lets them leave says why."""
        return small_numbers(tables_from_json(self.verdict["tables"]), self.rules)

    @property
    def state(self) -> ReviewState:
        """Where the reviews stand."""
        return review_state(self.given, self.excluded, self.rules)


def under_review(node: Node) -> list[Visit]:
    """The visits whose results wait for reviews, longest waiting first."""
    with node.store.read() as reader:
        return reader.find(Visit, {"state": VisitState.REVIEWING}, order="created")


def matter(node: Node, visit_id: str) -> Matter:
    """All there is to know about a result under review. Raises `NotFound`."""
    with node.store.read() as reader:
        return read_matter(reader, node, visit_id)


def read_matter(reader: Reader, node: Node, visit_id: str) -> Matter:
    """As `matter`, inside a transaction that is open already."""
    visit, quarantine = reader.get(Visit, visit_id), reader.get(Quarantine, visit_id)
    request = reader.get(Request, visit.study) if visit else None
    algorithm = reader.get(Algorithm, visit.algorithm) if visit else None
    if visit is None or quarantine is None or request is None or algorithm is None:
        raise errors.NotFound("There is no such result here.", to_do="fairnode review list")
    if quarantine.verdict.get("class") != "B" or "tables" not in quarantine.verdict:
        raise errors.NotFound("This visit has no result that needs reviews.", to_do="fairnode review list")
    plan = read_study_bytes(request.document)
    content = {
        "node": node.iri,
        "visit": visit.id,
        "study": plan.hash,
        "algorithm": {"identity": algorithm.image},
        "result": digest(canonical(quarantine.verdict["tables"])),
    }
    reviews = tuple(reader.find(Review, {"visit": visit.id}, order="created"))
    named = {"id": algorithm.id, "name": algorithm.name, "version": algorithm.version}
    return Matter(
        visit, plan.document, content, quarantine.verdict, algorithm.author, named, reviews, node.rules
    )


def told(node: Node, viewer: Person, visit_id: str) -> dict[str, Any]:
    """What a reviewer sees: the output, what the rules said, what was released of the lineage, reviews."""
    _check_is_reviewer(viewer)
    found, rules = matter(node, visit_id), node.rules
    visible = {review.reviewer for review in visible_reviews(found.given, viewer.id, rules)}
    return {
        "visit": visit_id,
        "state": found.visit.state.value,
        "reviews": found.state.value,
        "study": {key: found.study[key] for key in ("title", "question", "requester", "recipients")},
        "parameters": found.study["parameters"],
        "tables": found.verdict["tables"]["tables"],
        "result": found.content["result"],
        "algorithm": {**found.algorithm, "identity": found.content["algorithm"]["identity"]},
        "hidden": [_hidden(line, rules) for line in found.verdict["reasons"]],
        "small": {
            "below": rules.k,
            "cells": [{"table": table, "cell": list(cell)} for table, cell in found.small],
        },
        "own": _own_lists(found),
        "rule": rules.explain("class-b"),
        "rerun": {**found.verdict["rerun"], "sentence": _RERUN[found.verdict["rerun"]["outcome"]]},
        "earlier": _earlier(node, found.verdict["lineage"], visit_id),
        "given": [
            {"opinion": r.opinion, "role": r.role, "note": r.note, "yours": r.person == viewer.id}
            for r in found.reviews
            if r.person in visible
        ],
    }


def _own_lists(found: Matter) -> list[str]:
    """The dimensions that are the algorithm's own: about how many persons their cells are the node cannot say."""
    tables = tables_from_json(found.verdict["tables"])
    names = [axis.variable for table in tables for axis in table.spec.dimensions]
    return [name for name in dict.fromkeys(names) if name not in vocabulary.variables()]


def _hidden(line: list[Any], rules: RuleSet) -> dict[str, Any]:
    """Why a cell is hidden, with the IRI of the check that says so."""
    table, cell, rule = line
    return {
        "table": table,
        "cell": cell,
        "rule": rule,
        "iri": rules.rule(rule).iri,
        "sentence": rules.explain(rule),
    }


def _earlier(node: Node, lineage: str, visit_id: str) -> list[dict[str, Any]]:
    """What else left of the same data, or is about to: when, to whom, of whom, and the tables."""
    with node.store.read() as reader:
        rows = reader.find(Earlier, {"lineage": lineage}, order="created")
        releases = {row.id: reader.get(Release, row.id) for row in rows}
        visits = {row.id: reader.get(Visit, row.id) for row in rows}
    return [
        {
            "release": row.id,
            "requester": row.facts["requester"],
            "day": row.facts["day"],
            "nodes": row.facts["nodes"],
            "filter": row.facts["filter"],
            "by": [[d["variable"] for d in t["dimensions"]] for t in row.facts["contract"]["tables"]],
            "state": told.state.value if (told := visits[row.id]) else "",
            "tables": json.loads(kept.table)["tables"] if (kept := releases[row.id]) else [],
        }
        for row in rows
        if row.id != visit_id
    ]


def roles_for(person: Person, found: Matter) -> list[str]:
    """The roles in which a person may still review this result."""
    if found.visit.state is not VisitState.REVIEWING:
        return []
    return [role.value for role in DECIDING if may_review(person, found, role)]


def check_may_review(person: Person, found: Matter, role: str) -> None:
    """Raise `NotAllowed` unless `person` may review this result in `role`, `Conflict` if they did already."""
    _check_is_reviewer(person)
    if role not in DECIDING or role not in person.roles:
        raise errors.NotAllowed("Only the custodian and counsel review, each in their own role.")
    if person.id in found.excluded:
        raise errors.NotAllowed("Nobody reviews what they asked for or wrote themselves.")
    if any(review.person == person.id for review in found.reviews):
        raise errors.Conflict("You have reviewed this already; another person must give the other review.")


def may_review(person: Person, found: Matter, role: str) -> bool:
    """Whether `check_may_review` lets the person review."""
    try:
        check_may_review(person, found, role)
    except errors.FairnodeError:
        return False
    return True


def _check_is_reviewer(person: Person) -> None:
    if not person.active or not set(person.roles) & {role.value for role in DECIDING}:
        raise errors.NotAllowed("Only the custodian and counsel see and review results.")


@dataclass(frozen=True)
class Saying:
    """What a reviewer says: in which role, about which result (its hash as they saw it), and why."""

    role: str
    result: str
    opinion: Opinion
    note: str


def review(node: Node, signer: Signer, visit_id: str, saying: Saying) -> Visit:
    """Sign a review; the last one that is needed lets the result pass, or blocks it.

    Raises `NotAllowed` for who may not review, `Conflict` when the result is another than they saw or does
    not wait for reviews, `NotValid` for a refusal without a reason, and for an approval of small numbers
    without one.
    """
    if saying.opinion is not Opinion.APPROVED and not saying.note.strip():
        raise errors.NotValid("Say why, in a sentence for this node's people.")

    def change(tx: Transaction) -> Visit:
        found = read_matter(tx, node, visit_id)
        person = tx.get(Person, signer.person.id)
        if person is None:
            raise errors.NotAllowed("Only people of this node review here.")
        check_may_review(person, found, saying.role)
        if found.visit.state is not VisitState.REVIEWING:
            raise errors.Conflict(f"This result does not wait for reviews; it is '{found.visit.state}'.")
        if found.content["result"] != saying.result:
            raise errors.Conflict("The result is not the one you saw.", to_do="fairnode review show VISIT")
        _check_says_why(found, saying)
        tx.add(_row(node, signer, found, saying))
        return _follow(tx, node, visit_id)

    return commit(node.desk, change, _entry(signer, saying), tell_home)


def _check_says_why(found: Matter, saying: Saying) -> None:
    """Raise `NotValid` for an approval without a reason where there are small numbers."""
    if saying.opinion is Opinion.APPROVED and found.small and not saying.note.strip():
        raise errors.NotValid(
            f"Of these numbers, {len(found.small)} could count fewer than {found.rules.k} persons.",
            to_do="Say in a sentence what they are, and why they may leave all the same; or refuse.",
        )


def check_reviewed(node: Node, visit_id: str) -> None:
    """Raise `Refused` unless enough people, who still may, signed that exactly these tables may leave.

    Asked again right before the release: what counts are the signatures, not the rows that say so.
    """
    with node.store.read() as reader:
        try:
            found = read_matter(reader, node, visit_id)
        except errors.NotFound as nothing:  # the row does not say any more what was reviewed
            raise Refused(Refusal.REVIEWS, nothing.what) from None
        valid = [review for review in found.reviews if _holds(reader, node, found, review)]
    if replace(found, reviews=tuple(valid)).state is not ReviewState.APPROVED:
        raise Refused(Refusal.REVIEWS, f"{len(valid)} of {len(found.reviews)} reviews hold.")


def _holds(reader: Reader, node: Node, found: Matter, review: Review) -> bool:
    """Whether one review was signed over these tables by somebody who may still review."""
    person = reader.get(Person, review.person)
    if person is None or not person.active or review.role not in person.roles:
        return False
    keys = reader.find(PersonKey, {"person": review.person, "revoked": ""})
    return any(_signed(found, review, (node.keys.public, key.public)) for key in keys)


def _signed(found: Matter, review: Review, signers: tuple[str, ...]) -> bool:
    """Whether the envelope holds this result, these signatures, and what the row says."""
    try:
        content, decision = open_statement(review.envelope, signers)
    except errors.NotValid:
        return False
    said = (decision.get("decision"), decision.get("person"), decision.get("role"))
    why = bool(str(decision.get("note", "")).strip()) or not found.small
    return (
        why and content == found.content and said == (f"result {review.opinion}", review.person, review.role)
    )


def _entry(signer: Signer, saying: Saying) -> Callable[[Visit], Entry]:
    """The ledger's line; the opinion is not in it, since the line can be read before the other one is in."""
    facts = {"role": saying.role, "result": saying.result}
    return lambda visit: Entry("result.reviewed", visit.id, signer.person.id, visit.study, facts)


def _follow(tx: Transaction, node: Node, visit_id: str) -> Visit:
    """What follows from the reviews that are in now."""
    found = read_matter(tx, node, visit_id)
    if found.state in (ReviewState.SUBMITTED, ReviewState.PARTIALLY_REVIEWED):
        return found.visit
    passed = found.state is ReviewState.APPROVED
    return tx.change(
        found.visit,
        state=VisitState.PASSED if passed else VisitState.BLOCKED,
        internal=f"reviews: {found.state.value}",
        changed=clock.now(),
    )


def _row(node: Node, signer: Signer, found: Matter, saying: Saying) -> Review:
    """The signed row of a review. Its id lets each person give one."""
    at = clock.now()
    decision = {
        "decision": f"result {saying.opinion.value}",
        "person": signer.person.id,
        "role": saying.role,
        "at": at,
        "note": saying.note,
    }
    return Review(
        id=f"{found.visit.id}#{signer.person.id}",
        visit=found.visit.id,
        person=signer.person.id,
        role=saying.role,
        opinion=saying.opinion.value,
        result=saying.result,
        note=saying.note,
        envelope=sign_statement(statement(found.content, decision), signer, node.keys),
        created=at,
    )
