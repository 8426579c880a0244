"""Counts records, or the persons they are about, over the dimensions that the study names."""

from __future__ import annotations

from fairnode_kit import Input, Run, Table, connect, main


def counts(run: Run) -> dict[str, dict[tuple[str, ...], int]]:
    """One table of counts for each that the contract asks for."""
    return {table.id: count(run.inputs[table.input], table) for table in run.tables}


def count(records: Input, table: Table) -> dict[tuple[str, ...], int]:
    """The number of records or persons in each cell that has any.

    A record without a value in one of the dimensions is in no cell. A person or record with several values
    (such as several means of control) is in the cell of each, once.
    """
    with connect() as database:
        view = database.read_parquet(str(records.path))
        types = dict(zip(view.columns, map(str, view.types), strict=True))
        keys = [_values(d.variable, types[d.variable]) for d in table.dimensions]
        by_person = table.unit == "person" and records.key
        number = f"count(DISTINCT {_quoted(records.key)})" if by_person else "count(*)"
        rows = database.execute(_query(keys, number), {"path": str(records.path)}).fetchall()
    cells = {tuple(row[:-1]): int(row[-1]) for row in rows}
    asked = [set(d.codes) for d in table.dimensions]
    return {key: n for key, n in cells.items() if all(map(set.__contains__, asked, key))}


def _query(keys: list[str], number: str) -> str:
    """The number for each combination of keys; all are columns of the file."""
    rows = "read_parquet($path)"
    for i, key in enumerate(keys):  # one after the other: side by side, lists would be read in step
        rows = f"(SELECT *, {key} AS k{i} FROM {rows})"  # noqa: S608 - keys are quoted
    columns = "".join(f"k{i}, " for i in range(len(keys)))
    return f"SELECT {columns}{number} FROM {rows} GROUP BY ALL"  # noqa: S608 - keys are quoted


def _values(column: str, kind: str) -> str:
    """The codes of a column as text; each of them once where a cell holds a list."""
    if kind.endswith("[]"):
        return f"unnest(list_distinct(CAST({_quoted(column)} AS VARCHAR[])))"
    return f"CAST({_quoted(column)} AS VARCHAR)"


def _quoted(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


if __name__ == "__main__":
    main(counts)
