"""The auditor's page: the ledger, and whether it is whole."""

from __future__ import annotations

import json
from typing import Any

from flask import request

from fairnode.ledger import Report, verify_ledger
from fairnode.ledger.words import sentence
from fairnode.pages.desk import Desk, Page, check_form, person_there, show
from fairnode.records.rows import Head, LedgerLine, Role

LINES = 50


def ledger(desk: Desk) -> Page:
    """The newest lines, or those before a number."""
    person_there(desk, Role.AUDITOR)
    return _shown(desk, None)


def take_check(desk: Desk) -> Page:
    """Check the whole ledger now."""
    check_form(desk)
    person_there(desk, Role.AUDITOR)
    return _shown(desk, verify_ledger(desk.node.desk))


def _shown(desk: Desk, report: Report | None) -> Page:
    """The page."""
    told = request.args.get("before", "")
    before = int(told) if told.isascii() and told.isdigit() and len(told) < 15 else None
    with desk.node.store.read() as reader:
        lines = reader.find(LedgerLine, order="-id", limit=LINES, after=before)
        head = reader.last(Head)
    bodies: list[dict[str, Any]] = [json.loads(line.body) for line in lines]
    told_lines = [{**body, "sentence": sentence(str(body["kind"]))} for body in bodies]
    older = lines[-1].id if lines and lines[-1].id > 1 else None
    return show(desk, "ledger.html", lines=told_lines, head=head, report=report, older=older)
