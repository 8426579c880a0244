"""What an algorithm of another platform needs beside the view: our launcher, and the records as CSV."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fairnode.child import run_child
from fairnode.records.algorithm import Launcher, Manifest
from fairnode.share import shared
from fairnode.visits.context import VIEW_NAME

LAUNCHER_FILE = "launch.py"
STAND_IN = "one_node.py"  # the server that a central function asks


def entrypoint_of(manifest: Manifest) -> tuple[str, ...]:
    """What is started in the container: the algorithm, or our launcher with the image's own Python."""
    if manifest.launcher is None:
        return manifest.entrypoint
    return ("python3", f"/fairnode/in/{LAUNCHER_FILE}")


def more_inputs(manifest: Manifest, view: Path, spool: Path) -> dict[str, Path]:
    """Files that the container finds beside the view, by name; none for algorithms of our own kind."""
    if manifest.launcher is None:
        return {}
    csv = view.with_suffix(".csv")  # that of a further run has another name, and none in the container
    run_child("as_csv", {"view": str(view), "output": str(csv)}, spool=spool, seconds=1800.0)
    ours = shared("algorithms") / "launcher"
    return {f"{VIEW_NAME}.csv": csv, **{name: ours / name for name in (LAUNCHER_FILE, STAND_IN)}}


def told(launcher: Launcher, command: tuple[str, ...]) -> dict[str, Any]:
    """The launcher's part of run.json."""
    return {
        "protocol": launcher.protocol,
        "method": launcher.method,
        "arguments": list(launcher.arguments),
        "tables": {table: list(steps) for table, steps in launcher.tables},
        "command": list(command),
        "directory": launcher.directory,
        "environment": dict(launcher.environment),
        "absent": launcher.absent,
    }
