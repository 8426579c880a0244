"""How fast multiple systems estimation is, and that single fits equal statsmodels."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import statsmodels.api as sm

ALGORITHM = Path(__file__).resolve().parents[1] / "algorithms" / "mse"
sys.path.insert(0, str(ALGORITHM))

from mse.bic import rank_models  # noqa: E402
from mse.bootstrap import bca  # noqa: E402
from mse.dga import average  # noqa: E402
from mse.fit import fit_model  # noqa: E402
from mse.glm import design  # noqa: E402
from mse.graphs import decomposable_graphs  # noqa: E402
from mse.model import hierarchical_models, parse_model  # noqa: E402
from mse.stepwise import stepwise  # noqa: E402
from mse.table import Table, read_table  # noqa: E402

FINAL = "LA:NG, NG:GP, PFNCA:GP, LA:PFNCA, GO:GP, NG:GO"


def rows() -> list[dict[str, Any]]:
    """Rows {name, ours, peer, ratio, goal, unit, holds}; `peer` and `ratio` None where there is no peer."""
    uk, dutch = (read_table(ALGORITHM / "tests/tables" / f"{name}.csv") for name in ("UKdat_5", "Ned"))
    decomposable_graphs.cache_clear()
    return [
        _limit("mse.bca_5_lists_1000", _seconds(lambda: _bca(uk)), 6),
        _limit("mse.all_1024_pair_models", _seconds(lambda: rank_models(uk, 2)), 5),
        _limit("mse.dga_6_lists_18154_graphs", _seconds(lambda: average(dutch)), None),
        _single_fit(uk),
        _many_fits(uk),
        _same_digits(uk),
    ]


def _bca(table: Table) -> None:
    lists = len(table.lists)
    point = table.persons + stepwise(lists, table.counts[None].astype(float)).missing[0]
    bca(table, float(point), lambda counts: stepwise(lists, counts).missing, 1000, 1)


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _limit(name: str, seconds: float, goal: float | None) -> dict[str, Any]:
    return {"name": name, "ours": round(seconds, 3), "peer": None, "ratio": None, "goal": goal, "unit": "s",
            "holds": goal is None or seconds < goal}  # fmt: skip


def _peer(table: Table, terms: frozenset[int]) -> Any:
    space = design(len(table.lists), 2)
    chosen = [k for k, m in enumerate(space.masks) if int(m) in terms]
    return sm.GLM(table.counts[1:], space.x[1:, chosen], family=sm.families.Poisson()).fit(tol=1e-12)


def _compared(name: str, ours: float, peer: float, goal: float) -> dict[str, Any]:
    ratio = round(peer / ours, 2)
    return {"name": name, "ours": round(ours * 1000, 3), "peer": round(peer * 1000, 3), "ratio": ratio,
            "goal": goal, "unit": "ms", "holds": ratio >= goal}  # fmt: skip


def _single_fit(table: Table) -> dict[str, Any]:
    """One model with existence check, standard errors and likelihood, median of 20."""
    terms = parse_model(FINAL, table.lists)
    ours = float(np.median([_seconds(lambda: fit_model(table, terms)) for _ in range(20)]))
    peer = float(np.median([_seconds(lambda: _peer(table, terms)) for _ in range(20)]))
    return _compared("mse.single_fit_vs_statsmodels", ours, peer, 0.2)


def _many_fits(table: Table) -> dict[str, Any]:
    """Time a model when all 1,024 are fitted; statsmodels on every 32nd."""
    models = list(hierarchical_models(len(table.lists), 2))
    ours = _seconds(lambda: rank_models(table, 2)) / len(models)
    sample = [m for m in models[::32] if _dense(table, m)]
    peer = _seconds(lambda: [_peer(table, m) for m in sample]) / len(sample)
    return _compared("mse.fits_of_1024_models_vs_statsmodels", ours, peer, 10)


def _dense(table: Table, terms: frozenset[int]) -> bool:
    """Whether no term is minus infinity, which statsmodels does not handle."""
    cells = np.arange(len(table.counts))
    return all(table.counts[(cells & m) == m].sum() > 0 for m in terms)


def _same_digits(table: Table) -> dict[str, Any]:
    """Relative difference of the unseen number from statsmodels."""
    terms = parse_model(FINAL, table.lists)
    gap = abs(fit_model(table, terms).missing / float(np.exp(_peer(table, terms).params[0])) - 1)
    return {"name": "mse.unseen_differs_from_statsmodels", "ours": gap, "peer": None, "ratio": None,
            "goal": 1e-8, "unit": "relative", "holds": gap < 1e-8}  # fmt: skip


if __name__ == "__main__":
    for row in rows():
        print(row)
