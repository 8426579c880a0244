"""Logistic and Poisson regression on two coded predictors, from the counts of each combination of codes."""

from __future__ import annotations

from fairnode_kit import Input, Run, connect, main
from glm import FEW, SEPARABLE, Fit, Group, NoFit, fit

Cells = dict[tuple[str, ...], float]


def regression(run: Run) -> dict[str, Cells]:
    """Coefficients and standard errors by code, and how the fit went; zeros where there is none."""
    records = run.inputs["records"]
    names = [run.parameters["first"][0], run.parameters["second"][0]]
    levels = [table.dimensions[0].codes for table in run.tables if table.id in ("first", "second")]
    groups = counted(records, names, run)
    used = [
        [code for code in codes if any(g.codes[i] == code for g in groups)] for i, codes in enumerate(levels)
    ]
    try:
        found = fit(groups, used, run.parameters["family"])
    except NoFit as wrong:
        answer = {FEW: 0.0, SEPARABLE: -1.0}[str(wrong)]
        return {table.id: {("answer",): answer} if table.id == "model" else {} for table in run.tables}
    return told(found, used, sum(group.n for group in groups))


def told(found: Fit, used: list[list[str]], observations: int) -> dict[str, Cells]:
    """The tables of a fit; the number of observations is rounded to tens."""
    tables: dict[str, Cells] = {}
    place = 1
    for name, codes in zip(("first", "second"), used, strict=True):
        others = codes[1:]
        span = range(place, place + len(others))
        tables[name] = {(code,): found.beta[i] for code, i in zip(others, span, strict=True)}
        tables[f"{name}-error"] = {(code,): found.error[i] for code, i in zip(others, span, strict=True)}
        place += len(others)
    tables["model"] = {
        ("answer",): 1.0,
        ("intercept",): found.beta[0],
        ("intercept-error",): found.error[0],
        ("observations",): float(observations // 10 * 10),
    }
    return tables


def counted(records: Input, names: list[str], run: Run) -> list[Group]:
    """Records and the sum of their outcomes for each combination of codes; what is not recorded is left out."""
    outcome = quoted(run.parameters["variables"][0])
    logistic = run.parameters["family"] == "logistic"
    codes = run.parameters.get("positive", [])
    value = f"CAST(CAST({outcome} AS VARCHAR) IN (SELECT unnest(?)) AS INTEGER)" if logistic else outcome
    first, second = (f"CAST({quoted(name)} AS VARCHAR)" for name in names)
    with connect() as database:
        rows = database.execute(
            f"SELECT {first}, {second}, count(*), sum({value}) FROM read_parquet(?) "  # noqa: S608 - quoted
            f"WHERE {outcome} IS NOT NULL AND {first} IS NOT NULL AND {second} IS NOT NULL "
            "GROUP BY ALL ORDER BY ALL",
            [*([codes] if logistic else []), str(records.path)],
        ).fetchall()
    return [Group((str(a), str(b)), int(n), float(total)) for a, b, n, total in rows]


def quoted(column: str) -> str:
    """A column's name for SQL."""
    return '"' + column.replace('"', '""') + '"'


if __name__ == "__main__":
    main(regression)
