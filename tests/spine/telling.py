"""The steps of a study as people take them, through the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.factories import DATASET, Site

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
