"""Runs all cases and prints a line for each: number, attack, verdict, figure. Ends with 1 if any got out.

python -m tests.hostile [--quick] [NUMBER...]
python -m tests.hostile --against COMMAND       another system, see README.md
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from contextlib import closing
from pathlib import Path

from tests.hostile.against import attack_with
from tests.hostile.all import run_case, target_on
from tests.hostile.case import CASES, Case, Outcome, Target, Verdict


def main() -> int:
    """Run what was asked for; 1 if any case came out otherwise than expected."""
    parser = argparse.ArgumentParser(prog="hostile", description=__doc__)
    parser.add_argument("numbers", nargs="*", type=int, help="only the cases with these numbers")
    parser.add_argument("--quick", action="store_true", help="without the long ones")
    parser.add_argument("--against", metavar="COMMAND", help="another system: how it starts a program")
    asked = parser.parse_args()
    if asked.against:
        return attack_with(asked.against)
    chosen = [c for c in CASES if not asked.numbers or c.number in asked.numbers]
    chosen = [c for c in chosen if not (asked.quick and c.is_long)]
    with tempfile.TemporaryDirectory(prefix="fairnode-hostile-") as folder:
        target = target_on(Path(folder))
        with closing(target.engine):
            outcomes = [(case, _told(case, target)) for case in sorted(chosen, key=lambda c: c.number)]
    counts = Counter(outcome.verdict for _, outcome in outcomes)
    summary = ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict)
    sys.stdout.write(f"\n{len(outcomes)} attacks: {summary}\n")
    return int(any(outcome.verdict is not case.expected for case, outcome in outcomes))


def _told(case: Case, target: Target) -> Outcome:
    outcome = run_case(case, target)
    sys.stdout.write(f"{case.number:>3}  {case.attack:<84} {outcome.verdict:<9}  {outcome.figure}\n")
    sys.stdout.flush()
    return outcome


if __name__ == "__main__":
    sys.exit(main())
