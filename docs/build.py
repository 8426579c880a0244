"""Writes the pages that are made from the code: `python -m docs.build`; with --check it only compares.

docs/gate.md comes from the rules and their specification, docs/states.md from the table of transitions.
"""

from __future__ import annotations

import runpy
import sys
from collections.abc import Callable
from pathlib import Path

from fairnode.disclosure.rules import load_rules
from fairnode.records.states import TRANSITIONS, VisitState, diagram, public_state

HERE = Path(__file__).parent

INTRO = """# States

What may follow what, for a study at its home node, for a visit at the node that holds the data, and for a signed \
decision. The pictures are made from `fairnode/records/states.py` (`make docs`); the store refuses any other step.
"""
OUTSIDE = """## What outsiders see of a visit

The researcher, and everybody at other nodes, reads one of four words. All ways of not being released look the \
same, because why depends on data.

| at the node | outside |
|---|---|
"""
TITLES = {
    "study": "A study, at its home node",
    "visit": "A visit, at the node that holds the data",
    "approval": "A signed decision",
}


def states_page() -> str:
    """The state diagrams, and what outsiders see of a visit."""
    parts = [INTRO]
    for kind in TRANSITIONS:
        parts.append(f"## {TITLES[kind]}\n\n```mermaid\n{diagram(kind)}\n```\n")
    lines = [f"| {state.value} | {public_state(state).value} |" for state in VisitState]
    parts.append(OUTSIDE + "\n".join(lines) + "\n")
    return "\n".join(parts)


def gate_page() -> str:
    """The page about the gate."""
    return str(runpy.run_path(str(HERE / "make_gate.py"))["page"](load_rules()))


PAGES: dict[str, Callable[[], str]] = {"states.md": states_page, "gate.md": gate_page}


def main(arguments: list[str]) -> int:
    """Write the pages, or say which are not current."""
    stale = []
    for name, make in PAGES.items():
        made, path = make(), HERE / name
        if not path.exists() or path.read_text(encoding="utf-8") != made:
            stale.append(name)
            if "--check" not in arguments:
                path.write_text(made, encoding="utf-8")
    print(f"{'not current' if '--check' in arguments else 'written'}: {', '.join(stale) or 'nothing'}")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
