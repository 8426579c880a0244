"""What the home node knows of its studies: one line a visit, in the words that outsiders may see (P8)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from fairnode import clock, errors
from fairnode.ledger.commit import Entry
from fairnode.node import Node
from fairnode.records.rows import Follow, Person, Role, Study
from fairnode.records.states import PublicState, StudyState
from fairnode.store.database import Transaction

ENDED = (PublicState.RELEASED, PublicState.NOT_RELEASED)


def studies_of(node: Node, person: Person) -> list[Study]:
    """The studies that a person may see here, newest first: their own, and all for an auditor."""
    where = {} if Role.AUDITOR in person.roles else {"requester": person.id}
    with node.store.read() as reader:
        return reader.find(Study, where, order="-created")


def follow(node: Node, study: str) -> list[Follow]:
    """The lines of a study, in the order of its datasets and stages."""
    with node.store.read() as reader:
        return reader.find(Follow, {"study": study})


def document(study: Study) -> dict[str, Any]:
    """The study document as JSON."""
    return dict(json.loads(study.document))


def receive_follow(tx: Transaction, study: str, sender: str, body: Mapping[str, Any]) -> Entry:
    """A node tells how its visit of our study stands.

    Raises `NotAllowed` when the node speaks about a visit that is not at it. News of a line that has ended
    changes nothing, so late messages do no harm.
    """
    line = tx.one(Follow, study=study, dataset=str(body["dataset"]), stage=str(body["stage"]))
    if line is None or line.node != sender:
        raise errors.NotAllowed("A node speaks for its own visits only.")
    state = PublicState(body["state"])
    entry = Entry("visit.told", line.id, sender, study, {"state": state.value})
    if line.state in ENDED:
        return entry
    tx.change(
        line,
        state=state,
        sentence=str(body.get("sentence", ""))[:1000],
        release=str(body.get("release", "")),
        changed=clock.now(),
    )
    finish_when_done(tx, study)
    return entry


def finish_when_done(tx: Transaction, study_id: str) -> None:
    """End the study when none of its lines is open any more."""
    study = tx.get(Study, study_id)
    lines = tx.find(Follow, {"study": study_id})
    if study and study.state == StudyState.SENT and all(line.state in ENDED for line in lines):
        tx.change(study, state=StudyState.FINISHED, changed=clock.now())
