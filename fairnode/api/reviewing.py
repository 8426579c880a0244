"""Operations of the reviews: the token's key signs the opinion."""

from __future__ import annotations

from typing import Any

from fairnode.api.call import Answer, Call, page
from fairnode.gate import reviewing
from fairnode.gate.reviews import Opinion
from fairnode.people import check_role, signer_with_token
from fairnode.records.rows import Person, Role, Visit


def list_results(call: Call) -> Answer:
    """What waits for reviews."""
    _check(call)
    return page(
        call, reviewing.under_review(call.node), lambda visit: visit.id, lambda visit: _line(call, visit)
    )


def get_result(call: Call) -> Answer:
    """All that this reviewer may see of one result."""
    return Answer(_result(call, _check(call)))


def review_result(call: Call) -> Answer:
    """Sign an opinion."""
    person, signer, told = _check(call), signer_with_token(call.node, call.token), call.body
    opinion = Opinion(told["opinion"])
    saying = reviewing.Saying(told["role"], told["result"], opinion, told.get("note", ""))
    reviewing.review(call.node, signer, call.values["id"], saying)
    return Answer(_result(call, person))


def _check(call: Call) -> Person:
    """The reviewer. Raises `NotAllowed` for who does not review here."""
    assert call.person is not None, "no operation here is public"
    check_role(call.person, Role.CUSTODIAN, Role.COUNSEL)
    return call.person


def _result(call: Call, person: Person) -> dict[str, Any]:
    return reviewing.told(call.node, person, call.values["id"])


def _line(call: Call, visit: Visit) -> dict[str, Any]:
    """One result that waits."""
    found = reviewing.matter(call.node, visit.id)
    return {
        "visit": visit.id,
        "study": visit.study,
        "title": found.study["title"],
        "dataset": visit.dataset,
        "reviews": found.state.value,
        "expires": visit.expires,
    }
