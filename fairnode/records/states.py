"""The states of study, visit and approval, and the one table of what may follow what.

The diagrams in the docs are generated from `TRANSITIONS`, and the store refuses any other step, so the
table is the rule and not a picture of it.
"""

from __future__ import annotations

from enum import StrEnum

from fairnode import errors


class StudyState(StrEnum):
    """Where a study stands at its home node."""

    DRAFT = "draft"
    SENT = "sent"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    AMENDED = "amended"
    EXPIRED = "expired"


class VisitState(StrEnum):
    """Where a visit stands at the node that holds the data; only this node's people see it."""

    RECEIVED = "received"
    WAITING = "waiting"
    ASKED_BACK = "asked_back"
    APPROVED = "approved"
    PREPARING = "preparing"
    RUNNING = "running"
    QUARANTINED = "quarantined"
    REVIEWING = "reviewing"
    PASSED = "passed"
    READY = "ready"
    SHARED = "shared"
    RELEASED = "released"
    REFUSED = "refused"
    BLOCKED = "blocked"
    FAILED = "failed"
    CANCELLED = "cancelled"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class ApprovalState(StrEnum):
    """Where one signed decision stands."""

    GIVEN = "given"
    REVOKED = "revoked"
    VOID = "void"


class PublicState(StrEnum):
    """All that outsiders see of a visit (privacy model, P8)."""

    WAITING = "waiting"
    RUNNING = "running"
    RELEASED = "released"
    NOT_RELEASED = "not released"


# kind -> state -> {state that may follow: what people call the step}
TRANSITIONS: dict[str, dict[str, dict[str, str]]] = {
    "study": {
        StudyState.DRAFT: {StudyState.SENT: "send", StudyState.CANCELLED: "cancel"},
        StudyState.SENT: {
            StudyState.FINISHED: "finish",
            StudyState.CANCELLED: "cancel",
            StudyState.AMENDED: "amend",
            StudyState.EXPIRED: "expire",
        },
        StudyState.FINISHED: {},
        StudyState.CANCELLED: {},
        StudyState.AMENDED: {},
        StudyState.EXPIRED: {},
    },
    "visit": {
        VisitState.RECEIVED: {
            VisitState.APPROVED: "grant by policy",
            VisitState.WAITING: "ask people",
            VisitState.REFUSED: "refuse",
            VisitState.CANCELLED: "cancel",
            VisitState.FAILED: "fail",
        },
        VisitState.WAITING: {
            VisitState.APPROVED: "approve",
            VisitState.REFUSED: "refuse",
            VisitState.ASKED_BACK: "ask back",
            VisitState.CANCELLED: "cancel",
            VisitState.EXPIRED: "expire",
        },
        VisitState.ASKED_BACK: {
            VisitState.WAITING: "answer",
            VisitState.REFUSED: "refuse",
            VisitState.CANCELLED: "cancel",
            VisitState.EXPIRED: "expire",
        },
        VisitState.APPROVED: {
            VisitState.PREPARING: "prepare",
            VisitState.WAITING: "revoke approval",
            VisitState.WITHDRAWN: "withdraw",
            VisitState.CANCELLED: "cancel",
            VisitState.EXPIRED: "expire",
            VisitState.FAILED: "fail",
        },
        VisitState.PREPARING: {
            VisitState.RUNNING: "start",
            VisitState.READY: "count or make keys in the node",
            VisitState.FAILED: "fail",
            VisitState.WITHDRAWN: "withdraw",
            VisitState.CANCELLED: "cancel",
            VisitState.EXPIRED: "expire",
        },
        VisitState.RUNNING: {
            VisitState.QUARANTINED: "harvest",
            VisitState.FAILED: "fail",
            VisitState.WITHDRAWN: "withdraw",
            VisitState.CANCELLED: "cancel",
        },
        VisitState.QUARANTINED: {
            VisitState.PASSED: "pass the gate",
            VisitState.READY: "pass the gate for combining",
            VisitState.REVIEWING: "ask reviewers",
            VisitState.BLOCKED: "block at the gate",
            VisitState.FAILED: "fail",
            VisitState.WITHDRAWN: "withdraw",
            VisitState.CANCELLED: "cancel",
        },
        VisitState.REVIEWING: {
            VisitState.PASSED: "approve the result",
            VisitState.BLOCKED: "refuse the result",
            VisitState.FAILED: "fail",
            VisitState.WITHDRAWN: "withdraw",
            VisitState.CANCELLED: "cancel",
            VisitState.EXPIRED: "expire",
        },
        VisitState.PASSED: {
            VisitState.RELEASED: "release",
            VisitState.BLOCKED: "withhold",
            VisitState.FAILED: "fail",
            VisitState.WITHDRAWN: "withdraw",
            VisitState.CANCELLED: "cancel",
        },
        VisitState.READY: {
            VisitState.SHARED: "deal shares",
            VisitState.BLOCKED: "withhold",
            VisitState.FAILED: "fail",
            VisitState.WITHDRAWN: "withdraw",
            VisitState.CANCELLED: "cancel",
        },
        VisitState.SHARED: {
            VisitState.RELEASED: "release combined",
            VisitState.READY: "deal again",
            VisitState.BLOCKED: "withhold",
            VisitState.WITHDRAWN: "withdraw",
            VisitState.FAILED: "end without result",
            VisitState.CANCELLED: "cancel",
        },
        VisitState.RELEASED: {},
        VisitState.REFUSED: {},
        VisitState.BLOCKED: {},
        VisitState.FAILED: {},
        VisitState.CANCELLED: {},
        VisitState.WITHDRAWN: {},
        VisitState.EXPIRED: {},
    },
    "approval": {
        ApprovalState.GIVEN: {ApprovalState.REVOKED: "revoke", ApprovalState.VOID: "void"},
        ApprovalState.REVOKED: {},
        ApprovalState.VOID: {},
    },
}

_PUBLIC = {
    VisitState.RECEIVED: PublicState.WAITING,
    VisitState.WAITING: PublicState.WAITING,
    VisitState.ASKED_BACK: PublicState.WAITING,
    VisitState.APPROVED: PublicState.RUNNING,  # when its turn comes depends on how long others ran
    VisitState.PREPARING: PublicState.RUNNING,
    VisitState.RUNNING: PublicState.RUNNING,
    VisitState.QUARANTINED: PublicState.RUNNING,
    VisitState.REVIEWING: PublicState.RUNNING,
    VisitState.PASSED: PublicState.RUNNING,
    VisitState.READY: PublicState.RUNNING,
    VisitState.SHARED: PublicState.RUNNING,
    VisitState.RELEASED: PublicState.RELEASED,
}


ENDED_BY_DATA = (VisitState.FAILED, VisitState.BLOCKED)
"""Ends of a visit whose moment the container, or the records, may have chosen."""


def public_state(state: VisitState) -> PublicState:
    """What outsiders are told of a visit in `state`; every way of not being released looks the same."""
    return _PUBLIC.get(state, PublicState.NOT_RELEASED)


def may_follow(kind: str, before: str, after: str) -> bool:
    """Whether a `kind` (study, visit, approval) may go from `before` to `after`."""
    return after in TRANSITIONS[kind].get(before, {})


def check_may_follow(kind: str, before: str, after: str) -> None:
    """Raise `Conflict` with a sentence unless `may_follow`."""
    if not may_follow(kind, before, after):
        possible = ", ".join(sorted(TRANSITIONS[kind].get(before, {}).values())) or "nothing more"
        raise errors.Conflict(
            f"The {kind} is '{before}' and cannot become '{after}'.",
            to_do=f"What can be done with it now: {possible}.",
        )


def ended(kind: str, state: str) -> bool:
    """Whether nothing can follow `state`."""
    return not TRANSITIONS[kind][state]


def diagram(kind: str) -> str:
    """The Mermaid state diagram of `kind`, for the docs."""
    arrows = [
        f"    {before} --> {after}: {name}"
        for before, following in TRANSITIONS[kind].items()
        for after, name in following.items()
    ]
    return "\n".join(["stateDiagram-v2", *arrows])
