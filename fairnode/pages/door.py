"""The routes of the pages for people."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from flask import Blueprint, redirect, request, url_for

from fairnode.metadata.shelf import Shelf
from fairnode.node import Node
from fairnode.pages import account, auditing, deciding, finding, keeping, reviewing, studying
from fairnode.pages.desk import Desk, LogInFirst, Page

_PAGES: tuple[tuple[str, str, Callable[..., Page]], ...] = (
    ("GET", "/login", account.login),
    ("POST", "/login", account.take_login),
    ("POST", "/logout", account.take_logout),
    ("GET", "/home", account.home),
    ("GET", "/account", account.account),
    ("POST", "/account/tokens", account.take_token),
    ("POST", "/account/tokens/<token>/revoke", account.take_revocation),
    ("POST", "/account/password", account.take_password),
    ("GET", "/search", finding.search),
    ("GET", "/found", finding.found),
    ("GET", "/algorithms", finding.algorithms),
    ("GET", "/algorithms/<key>", finding.algorithm),
    ("GET", "/studies", studying.studies),
    ("GET", "/study/new", studying.new_study),
    ("POST", "/study/new", studying.take_study),
    ("GET", "/study/<key>", studying.study),
    ("GET", "/study/<key>/document", studying.study_document),
    ("GET", "/study/<key>/release/<release>.<ending>", studying.download),
    ("POST", "/study/<key>/cancel", studying.take_cancel),
    ("GET", "/inbox", deciding.inbox),
    ("GET", "/inbox/<key>", deciding.item),
    ("GET", "/inbox/<key>/protocol", deciding.protocol_document),
    ("POST", "/inbox/<key>", deciding.take_decision),
    ("GET", "/results", reviewing.results),
    ("GET", "/results/<key>", reviewing.result),
    ("POST", "/results/<key>", reviewing.take_review),
    ("GET", "/ledger", auditing.ledger),
    ("POST", "/ledger", auditing.take_check),
    ("GET", "/datasets", keeping.kept),
    ("POST", "/datasets", keeping.take_record),
    ("GET", "/describe", keeping.describe),
    ("POST", "/describe", keeping.take_description),
    ("GET", "/datasets/<key>", keeping.kept_one),
    ("POST", "/datasets/<key>", keeping.take_state),
)


def make_blueprint(node: Node, shelf: Shelf) -> Blueprint:
    """The pages of one node."""
    routes = Blueprint("pages", __name__)
    desk = Desk(node, shelf)
    for method, rule, view in _PAGES:
        routes.add_url_rule(rule, view.__name__, partial(view, desk), methods=[method])
    routes.register_error_handler(LogInFirst, _to_login)
    return routes


def _to_login(error: LogInFirst) -> Page:
    """The log-in page, and back to where the person wanted to be."""
    del error
    after = request.full_path.rstrip("?") if request.method == "GET" else ""
    return redirect(url_for("pages.login", after=after) if after else url_for("pages.login"), 303)
