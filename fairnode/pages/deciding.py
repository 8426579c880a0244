"""The pages of custodian and counsel: what waits, in plain words, and the decision, signed by the person."""

from __future__ import annotations

import json

from flask import request

from fairnode import approvals, errors
from fairnode.algorithms.known import listed, manifest
from fairnode.approvals import protocol
from fairnode.metadata.keep import dataset
from fairnode.mpc.limits import limits
from fairnode.pages.desk import Desk, Page, check_form, field, go, person_there, show
from fairnode.people import signer_with_password
from fairnode.records.rows import Algorithm, Person, Quarantine, Role
from fairnode.records.states import VisitState

DECIDERS = (Role.CUSTODIAN, Role.COUNSEL)


def inbox(desk: Desk) -> Page:
    """What waits, longest waiting first."""
    person_there(desk, *DECIDERS)
    items = []
    for visit in approvals.inbox(desk.node):
        try:
            items.append(approvals.item(desk.node, visit.id))
        except errors.NotValid:
            continue  # what changed so that it fits no more is refused by the step, not by the page
    return show(desk, "inbox.html", items=items)


def item(desk: Desk, key: str) -> Page:
    """Everything that a decision on one visit would sign."""
    return _shown(desk, key)


def _shown(desk: Desk, key: str, error: errors.FairnodeError | None = None) -> Page:
    """The page of one visit, with what went wrong with the last form."""
    person = person_there(desk, *DECIDERS).person
    found = approvals.as_signed(desk.node, approvals.item(desk.node, key))
    algorithm = _algorithm(desk, found.visit.algorithm)
    row = dataset(desk.node, found.visit.dataset)
    waiting = found.visit.state in (VisitState.WAITING, VisitState.ASKED_BACK)
    return show(
        desk,
        "item.html",
        error.http_status if error else 200,
        item=found,
        content=found.content,
        dataset=row,
        rehearsal=approvals.rehearsal_of(desk.node, found.content, row),
        rehearses=waiting and desk.node.config.settings.rehearse,
        algorithm=algorithm,
        manifest=manifest(algorithm) if algorithm else None,
        names=approvals.known_names(desk.node),
        roles_in_law=protocol.ROLES,
        limits=limits(len(found.content["combination"]["parties"])) if found.content["combination"] else (),
        whole=json.dumps(found.content, indent=1, ensure_ascii=False),
        roles=_roles(desk, person, found) if waiting else [],
        reason=_reason(desk, person, found) if waiting else "",
        list_facts=_list_facts(desk, key),
        own=[d for d in found.decisions if d.person == person.id and d.state == "given"],
        error=error,
    )


def protocol_document(desk: Desk, key: str) -> Page:
    """The protocol document of one visit, by itself, to be printed."""
    person_there(desk, *DECIDERS)
    found = approvals.as_signed(desk.node, approvals.item(desk.node, key))
    names = approvals.known_names(desk.node)
    sections = protocol.protocol_document(found.study, found.content, names)
    return show(desk, "protocol.html", item=found, sections=sections)


def _list_facts(desk: Desk, key: str) -> dict[str, int]:
    """What became of the records of a list whose keys were made: for this node's people only."""
    with desk.node.store.read() as reader:
        found = reader.get(Quarantine, key)
    return dict(found.verdict.get("list", {})) if found else {}


def _algorithm(desk: Desk, key: str) -> Algorithm | None:
    """The algorithm of the visit."""
    return next((row for row in listed(desk.node) if row.id == key), None)


def _roles(desk: Desk, person: Person, found: approvals.Item) -> list[str]:
    """The roles in which this person may still decide."""
    return [
        str(role)
        for role in DECIDERS
        if role in found.needed and approvals.may_decide(desk.node, person, found, role)
    ]


def _reason(desk: Desk, person: Person, found: approvals.Item) -> str:
    """Why this person may not decide; empty when they may."""
    reasons = []
    for role in DECIDERS:
        if role in person.roles:
            try:
                approvals.check_may_decide(desk.node, person, found, role)
            except errors.NotAllowed as error:
                reasons.append(error.what)
    return reasons[0] if reasons else ""


def take_decision(desk: Desk, key: str) -> Page:
    """A decision was sent: it is signed with the password typed for it, over the content that was shown."""
    check_form(desk)
    person = person_there(desk, *DECIDERS).person
    try:
        signer = signer_with_password(desk.node, person, request.form.get("password", ""))
        _decide(desk, signer, key)
    except (errors.NotKnown, errors.NotValid, errors.Conflict) as error:
        return _shown(desk, key, error)
    return go("item", key=key)


def _decide(desk: Desk, signer: approvals.Signer, key: str) -> None:
    """The step that the form asks for."""
    step, role, sentence = field("step", 20), field("role", 20), field("sentence", 1000)
    if step == "approve":
        approvals.approve(desk.node, signer, key, field("content", 64), role, sentence)
    elif step == "refuse":
        approvals.refuse(desk.node, signer, key, role, sentence)
    elif step == "ask":
        approvals.ask_back(desk.node, signer, key, role, sentence)
    elif step == "revoke":
        approvals.revoke(desk.node, signer, key, role, sentence)
    else:
        raise errors.NotValid("This form does not say what to do.")
