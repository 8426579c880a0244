"""Before the first visit: does the engine at hand hold the attacks? What was found is kept and told.

The attacks themselves come with the engine (`fairnode.engine_docker.probe`); the worker gets them handed in,
as it gets the engine. A result holds for the same engine, kernel and filter of system calls, for a week.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

from fairnode import clock, errors
from fairnode.config import Config
from fairnode.engine import Engine, EngineReport, too_old
from fairnode.keys import canonical, digest
from fairnode.ledger.commit import Entry, commit
from fairnode.node import Node

FILE = "engine-test.json"
GOOD_FOR_SECONDS = 7 * 86400


class Finding(Protocol):
    """What one attack came to."""

    @property
    def name(self) -> str:
        """The attack."""

    @property
    def held(self) -> bool:
        """Whether the container held."""

    @property
    def figure(self) -> str:
        """What was observed."""


Probe = Callable[[Engine, str], tuple[Finding, ...]]


def engine_key(engine: Engine) -> str:
    """What a result holds for: engine, runtime, kernel and their settings."""
    return digest(canonical(asdict(engine.report())))


def engine_lacks(config: Config, report: EngineReport) -> tuple[errors.Finding, ...]:
    """What of the engine is older than node.toml allows, and whether the runtime that it asks for is missing."""
    least = {name: version for name, version in vars(config.least).items() if version}
    missing = config.settings.runtime not in ("", *report.runtimes)
    told = f"{config.settings.runtime} is not known to the engine; it has {', '.join(report.runtimes)}"
    return (*too_old(report, least), *((errors.Finding("runtime", told),) if missing else ()))


def known_result(folder: Path, key: str) -> bool | None:
    """Whether the engine held when it was tried last; None when that is not known (any more)."""
    try:
        told = json.loads((folder / FILE).read_text(encoding="utf-8"))
        fresh = clock.later(GOOD_FOR_SECONDS, told["at"]) > clock.now()
        return bool(told["held"]) if told["key"] == key and fresh else None
    except (OSError, ValueError, KeyError):
        return None


def keep_result(folder: Path, key: str, found: tuple[Finding, ...]) -> bool:
    """Keep what the attacks came to; whether all were held."""
    held = bool(found) and all(f.held for f in found)
    told = {
        "key": key,
        "at": clock.now(),
        "held": held,
        "attacks": [[f.name, f.held, f.figure] for f in found],
    }
    (folder / FILE).write_text(json.dumps(told, indent=1), encoding="utf-8")
    return held


def check_engine(node: Node, engine: Engine, image: str, probe: Probe) -> None:
    """Raise `Unavailable` unless this engine is new enough, has the runtime, and holds the attacks.

    The attacks are tried now where it is not known. Nothing is started for a visit before this has passed.
    """
    lacks = engine_lacks(node.config, engine.report())
    if lacks:
        raise errors.Unavailable(
            "The container engine is not as the node's settings ask, so this node runs no visits.",
            to_do="The operator mends the engine, or [least] and `runtime` in node.toml.",
            internal="; ".join(f"{finding.where} {finding.what}" for finding in lacks),
        )
    key, folder = engine_key(engine), node.config.directory
    held = known_result(folder, key)
    if held is None:
        found = probe(engine, image)
        held = keep_result(folder, key, found)
        escaped = [f.name for f in found if not f.held]
        entry = Entry("engine.tested", key, "node", facts={"attacks": len(found), "escaped": escaped})
        commit(node.desk, lambda _: None, entry)
    if not held:
        raise errors.Unavailable(
            "The container engine did not hold every attack, so this node runs no visits.",
            to_do="See what escaped: fairnode doctor --attack",
        )
