"""The steps of a study as people take them, through the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fairnode import approvals
from fairnode.algorithms.known import listed
from fairnode.people.signing import signer_with_token
from fairnode.people.tokens import who_token
from fairnode.studies.send import draft, send
from tests.factories import DATASET, PURPOSE, Site

QUESTION = "How many presumed victims were registered, by police region and year?"


def write_study(site: Site, name: str = "study.json", **changes: Any) -> Path:
    """A study file, made by `study new` and then changed as a hand would change it."""
    target = site.directory / name
    told = {
        "title": "Registrations by region and year",
        "question": QUESTION,
        "dimension": ["region", "year"],
    }
    options: list[str] = []
    for option, value in {**told, **changes.pop("options", {})}.items():
        for one in value if isinstance(value, list) else [value]:
            options += [f"--{option}", one]
    site.cli(
        "study", "new", str(target), "--algorithm", "counts", "--dataset", DATASET, *options, user="rosa"
    )  # fmt: skip
    if changes:
        target.write_text(json.dumps({**json.loads(target.read_text()), **changes}))
    return target


def send_study(site: Site, path: Path) -> str:
    """Send it; its hash."""
    return str(site.json("study", "send", str(path), user="rosa")["study"])


def content_hash(site: Site, visit: str) -> str:
    """What an approval of this visit would sign for."""
    return str(json.loads(site.cli("inbox", "show", visit).stdout)["contentHash"])


def approve(site: Site, visit: str, *roles: str) -> str:
    """Let custodian and counsel sign; the visit's state afterwards."""
    content, state = content_hash(site, visit), ""
    for role in roles or ("custodian", "counsel"):
        user = {"custodian": "carla", "counsel": "lars"}[role]
        told = site.json("inbox", "approve", visit, "--role", role, "--content", content, user=user)
        state = told["state"]
    return state


def ask(site: Site) -> str:
    """Send the same study as `send_study` does, without a process of its own for each step; its hash."""
    with site.open() as node:
        rosa = who_token(node, site.token("rosa"))
        (algorithm,) = (a for a in listed(node) if a.name == "counts")
        wanted = {
            "title": "Registrations by region and year",
            "question": QUESTION,
            "purpose": PURPOSE,
            "legalBasis": ["https://w3id.org/dpv/legal/eu/gdpr#A6-1-e"],
            "algorithm": {"name": "counts", "version": algorithm.version, "identity": algorithm.image},
            "datasets": [DATASET],
            "dimensions": ["region", "year"],
            "parameters": {"dimensions": ["region", "year"]},
        }
        return send(node, rosa, draft(node, rosa, wanted)).id


def sign(site: Site, visit: str) -> str:
    """Let custodian and counsel sign, as `approve` does; the visit's state afterwards."""
    with site.open() as node:
        content = approvals.item(node, visit).content_hash
        for user, role in (("carla", "custodian"), ("lars", "counsel")):
            after = approvals.approve(node, signer_with_token(node, site.token(user)), visit, content, role)
    return str(after.state)
