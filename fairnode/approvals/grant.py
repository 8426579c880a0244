"""A received visit meets the dataset's policy: granted alone, put to people, or refused."""

from __future__ import annotations

import secrets

from fairnode import clock
from fairnode.approvals.content import content_hash
from fairnode.approvals.statement import sign_statement, statement
from fairnode.keys import NodeKeys
from fairnode.policy.decide import Decision
from fairnode.records.rows import Approval, Visit
from fairnode.records.states import ApprovalState


def grant_by_policy(visit: Visit, content: dict[str, object], decision: Decision, keys: NodeKeys) -> Approval:
    """The approval that a policy gives alone, signed by the node; it names the rule that granted."""
    at = clock.now()
    told = {"decision": "approve", "by": "policy", "rule": decision.rule, "at": at}
    return Approval(
        id=secrets.token_hex(10),
        visit=visit.id,
        person="",
        role="policy",
        decision="approve",
        content=content_hash(content),
        envelope=sign_statement(statement(content, told), None, keys),
        state=ApprovalState.GIVEN,
        note=decision.sentence,
        created=at,
        expires=visit.expires,
    )
