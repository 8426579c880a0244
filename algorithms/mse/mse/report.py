"""The readable report."""

from __future__ import annotations

import textwrap

from .analyse import Analysis
from .checks import cautions
from .result import Estimate, rounded
from .table import Table
from .words import GENERAL_ASSUMPTIONS, GENERAL_EVIDENCE, WORDS

WIDTH = 100


def report(analysis: Analysis) -> str:
    """The whole answer as text for people."""
    parts = [_table(analysis.table)]
    if analysis.estimates:
        shown = (*analysis.estimates, *analysis.companions)
        parts += [_estimates(shown), _sensitivity(shown), _details(shown)]
    parts += [_refusals(analysis)]
    if analysis.estimates:
        parts += [
            _bullets("Take care", [c.sentence for c in cautions(analysis.table)]),
            _bullets("All methods assume", GENERAL_ASSUMPTIONS),
            _bullets("Evidence against taking any of these at its word", GENERAL_EVIDENCE),
        ]
    return "\n".join(part for part in parts if part)


def _table(table: Table) -> str:
    head = f"{table.persons:,} persons on {len(table.lists)} lists"
    if 2 ** len(table.lists) != len(table.counts):
        return head + "\n"
    sizes = ", ".join(f"{n} {s:,}" for n, s in zip(table.lists, table.list_sizes, strict=True))
    on = ", ".join(f"{v:,} on {k}" for k, v in enumerate(table.by_lists, start=1) if v)
    return (
        f"{head}\n  list sizes: {sizes}\n  persons by number of lists: {on}\n"
        f"  persons on two or more lists: {sum(table.by_lists[1:]):,}\n"
    )


def _estimates(found: tuple[Estimate, ...]) -> str:
    lines = ["Estimated persons in all, seen and unseen (two significant figures, then as computed)", ""]
    lines.append(f"  {'method':22}{'about':>10}{'computed':>14}   interval")
    for e in found:
        i = e.intervals[0]
        lines.append(
            f"  {e.method:22}{rounded(e.estimate):>10,}{e.estimate:>14,.1f}   "
            f"{i.level:.0%} {i.lower:,.0f} - {i.upper:,.0f}  ({i.kind})"
        )
    low, high = (f(e.estimate for e in found) for f in (min, max))
    lines += [
        "",
        (
            f"  The methods range from {rounded(low):,} to {rounded(high):,}. No single one of these numbers "
            "stands alone."
        ),
        "",
    ]
    return "\n".join(lines)


def _sensitivity(found: tuple[Estimate, ...]) -> str:
    lines = []
    for e in found:
        moved = e.diagnostics.get("onePerson")
        if isinstance(moved, dict):
            lines.append(
                f"  {e.method}: one person more or less moves the estimate by {moved['largestFall']:+,.0f} "
                f"to {moved['largestRise']:+,.0f}"
            )
    return "\n".join(["Sensitivity to one person", "", *lines, ""]) if lines else ""


def _details(found: tuple[Estimate, ...]) -> str:
    lines = ["Methods", ""]
    for e in found:
        words = WORDS[e.method.split("#")[0]]
        lines.append(f"  {e.method}: {words.title} (docs/mse/{words.page})")
        if e.terms is not None:
            lines += _wrap(f"model: {', '.join(e.terms) or 'main effects only'}", "    ")
        lines += [line for text in words.assumptions for line in _wrap(f"assumes: {text}", "    ")]
        lines += [line for text in (*words.evidence, *_warnings(e)) for line in _wrap(f"but: {text}", "    ")]
        lines.append("")
    return "\n".join(lines)


def _warnings(found: Estimate) -> list[str]:
    """Diagnostics that a reader must not miss."""
    d, texts = found.diagnostics, []
    if d.get("converged") is False:
        texts.append("The chains have NOT converged (R-hat above 1.1): do not use this number.")
    if d.get("nearThreshold"):
        texts.append(_near(d.get("alternatives")))
    if d.get("levelsAtExtremeResample"):
        texts.append("A limit of the interval is the most extreme resample: the true limit may lie beyond.")
    if isinstance(d.get("massAtEdge"), float) and d["massAtEdge"] > 0.01:
        texts.append("Much of the posterior lies at the largest number considered: there is no upper limit.")
    return texts


def _near(alternatives: object) -> str:
    found = alternatives if isinstance(alternatives, list) else []
    other = [f"with {a['term']} {'kept' if a['kept'] else 'dropped'} {a['estimate']:,.0f}" for a in found]
    return f"A pair is so close to the threshold that it could fall either way: {', '.join(other)}."


def _refusals(analysis: Analysis) -> str:
    if not analysis.refusals:
        return ""
    title = "Not estimated" if not analysis.estimates else "Methods that gave no number"
    return _bullets(
        title, [f"{r.method + ': ' if r.method else ''}{r.sentence} [{r.code}]" for r in analysis.refusals]
    )


def _bullets(title: str, texts: tuple[str, ...] | list[str]) -> str:
    if not texts:
        return ""
    return "\n".join([title, "", *(line for text in texts for line in _wrap(text, "  - ")), ""])


def _wrap(text: str, lead: str) -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent=lead, subsequent_indent=" " * (len(lead) + 2 * (lead.strip() == ""))
    )
