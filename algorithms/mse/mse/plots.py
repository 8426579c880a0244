"""Pictures: estimates with their intervals, and the weights of the models. Needs matplotlib."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from .analyse import Analysis
from .result import Estimate

BLUE, GREY, INK = "#1f5a8a", "#9aa5b1", "#222222"


def write_plots(analysis: Analysis, folder: Path) -> list[Path]:
    """Write estimates.svg/.png and, where a method weighs models, weights.svg/.png. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    mpl.rcParams["svg.hashsalt"] = "mse"  # the same picture is the same file
    figures = {"estimates": estimates_figure(analysis)}
    weighed = [e for e in analysis.estimates if e.weights]
    if weighed:
        figures["weights"] = weights_figure(weighed)
    written = []
    for name, figure in figures.items():
        for kind in ("svg", "png"):
            path = folder / f"{name}.{kind}"
            figure.savefig(path, dpi=150, metadata={"Date": None} if kind == "svg" else None)
            written.append(path)
    return written


def estimates_figure(analysis: Analysis) -> Figure:
    """One row a method: 95 % interval (thin), 80 % (thick), estimate (dot); dashed: persons seen."""
    shown = (*analysis.estimates, *analysis.companions)
    figure = Figure(figsize=(9, 1.8 + 0.38 * len(shown)), layout="constrained")
    axes = figure.add_subplot()
    for row, found in enumerate(shown):
        _row(axes, len(shown) - 1 - row, found)
    axes.set_yticks(range(len(shown)), [e.method for e in reversed(shown)])
    axes.axvline(analysis.table.persons, color=INK, linestyle="--", linewidth=1)
    axes.annotate(
        "seen",
        (analysis.table.persons, 1),
        xycoords=("data", "axes fraction"),
        ha="center",
        va="bottom",
        xytext=(0, 2),
        textcoords="offset points",
        fontsize=9,
    )
    _scale(axes, shown, analysis.table.persons)
    axes.set_xlabel("persons, seen and unseen (log scale)")
    axes.set_title("Estimates by method with 95 % (thin) and 80 % (thick) intervals", fontsize=11, pad=18)
    _plain(axes)
    return figure


def _row(axes: Axes, y: int, found: Estimate) -> None:
    for interval in found.intervals:
        axes.plot(
            [interval.lower, interval.upper],
            [y, y],
            color=BLUE,
            linewidth=1.4 if interval.level > 0.9 else 4.5,
            solid_capstyle="butt",
        )
    axes.plot(found.estimate, y, "o", color="white", markeredgecolor=INK, markersize=6, zorder=3)


def _scale(axes: Axes, shown: tuple[Estimate, ...], persons: int) -> None:
    top = max(max(i.upper for i in e.intervals) for e in shown)
    top = max(top, *(e.estimate for e in shown))
    axes.set_xscale("log")
    axes.set_xlim(persons * 0.9, top * 1.1)
    ticks = [m * 10**k for k in range(13) for m in (1, 2, 5) if persons * 0.9 <= m * 10**k <= top * 1.1]
    axes.set_xticks(ticks[:: 1 + len(ticks) // 10])
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:,.0f}"))
    axes.minorticks_off()


def weights_figure(weighed: list[Estimate]) -> Figure:
    """Weights of the leading models, one panel a method."""
    heights = [len(e.weights) for e in weighed]
    figure = Figure(figsize=(9, 1 + 0.62 * sum(heights) / 1.6), layout="constrained")
    panels = figure.subplots(len(weighed), 1, squeeze=False, height_ratios=heights)[:, 0]
    for axes, found in zip(panels, weighed, strict=True):
        names = [_short(m, total) for m, _, total in found.weights]
        axes.barh(range(len(names)), [w for _, w, _ in found.weights], color=GREY, height=0.65)
        axes.set_yticks(range(len(names)), names, fontsize=7)
        axes.invert_yaxis()
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.set_title(f"{found.method}: weight of its leading models", fontsize=10)
        _plain(axes)
    return figure


def _short(model: str, total: float | None) -> str:
    terms = model.split(", ")
    lines = [", ".join(terms[i : i + 5]) for i in range(0, len(terms), 5)]
    return "\n".join(lines) + (f"  ({total:,.0f})" if total is not None else "")


def _plain(axes: Axes) -> None:
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color="#e3e7eb", linewidth=0.8)
    axes.set_axisbelow(True)
