"""How much memory an idle node takes: web and worker together, as PSS (shared pages counted by share)."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Any

from benchmarks._site import measured_site

GOAL_MB = 180
SETTLE_SECONDS = 10


def pss_mb(process: subprocess.Popen[bytes]) -> float:
    """The proportional set size of a process in MB (10^6 bytes)."""
    lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text(encoding="utf-8").splitlines()
    told = next(line for line in lines if line.startswith("Pss:"))
    return int(told.split()[1]) * 1024 / 1e6


def rows() -> list[dict[str, Any]]:
    """Web, worker, and both together, after a page was asked for and nothing more happened."""
    with measured_site() as site:
        web, worker = site.start("serve"), site.start("work")
        site.wait_for_lock("worker")
        time.sleep(SETTLE_SECONDS)
        parts = {"web": pss_mb(web), "worker": pss_mb(worker)}
    made = [_row(name, mb, None) for name, mb in parts.items()]
    return [*made, _row("web_and_worker", sum(parts.values()), GOAL_MB)]


def _row(name: str, mb: float, goal: int | None) -> dict[str, Any]:
    return {
        "name": f"memory.idle_{name}",
        "ours": round(mb, 1),
        "peer": None,
        "ratio": None,
        "goal": goal,
        "unit": "MB PSS",
        "holds": goal is None or mb <= goal,
    }
