"""Operations of the inbox: the token's key signs the decision."""

from __future__ import annotations

from typing import Any

from fairnode import approvals
from fairnode.api.call import Answer, Call, page
from fairnode.people import check_role, signer_with_token
from fairnode.records.rows import Approval, Role, Visit


def list_inbox(call: Call) -> Answer:
    """What waits."""
    _check(call)
    return page(call, approvals.inbox(call.node), lambda visit: visit.id, _visit)


def get_item(call: Call) -> Answer:
    """Everything that a decision would sign."""
    _check(call)
    found = approvals.item(call.node, call.values["id"])
    return Answer(
        {
            "visit": _visit(found.visit),
            "study": found.study,
            "content": found.content,
            "contentHash": found.content_hash,
            "needed": list(found.needed),
            "decisions": [_decision(decision) for decision in found.decisions],
        }
    )


def approve_visit(call: Call) -> Answer:
    """Sign for the content."""
    _check(call)
    signer = signer_with_token(call.node, call.token)
    told = call.body
    return Answer(
        _visit(
            approvals.approve(
                call.node,
                signer,
                call.values["id"],
                told["contentHash"],
                told["role"],
                told.get("note", ""),
            )
        )
    )


def refuse_visit(call: Call) -> Answer:
    """Refuse."""
    _check(call)
    signer = signer_with_token(call.node, call.token)
    told = call.body
    return Answer(
        _visit(approvals.refuse(call.node, signer, call.values["id"], told["role"], told["sentence"]))
    )


def ask_back(call: Call) -> Answer:
    """Ask the researcher."""
    _check(call)
    signer = signer_with_token(call.node, call.token)
    told = call.body
    return Answer(
        _visit(approvals.ask_back(call.node, signer, call.values["id"], told["role"], told["sentence"]))
    )


def revoke_approval(call: Call) -> Answer:
    """Take an approval back."""
    _check(call)
    signer = signer_with_token(call.node, call.token)
    told = call.body
    return Answer(
        _visit(approvals.revoke(call.node, signer, call.values["id"], told["role"], told["sentence"]))
    )


def _check(call: Call) -> None:
    """Raise `NotAllowed` for who does not decide here."""
    check_role(call.person, Role.CUSTODIAN, Role.COUNSEL)


def _visit(visit: Visit) -> dict[str, Any]:
    """A visit as this node's people see it."""
    return {
        "id": visit.id,
        "study": visit.study,
        "stage": visit.stage,
        "dataset": visit.dataset,
        "state": visit.state.value,
        "created": visit.created,
        "expires": visit.expires,
    }


def _decision(decision: Approval) -> dict[str, Any]:
    """A decision that was signed already."""
    return {
        "role": decision.role,
        "decision": decision.decision,
        "state": decision.state.value,
        "note": decision.note,
        "created": decision.created,
    }
