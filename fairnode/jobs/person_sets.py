"""Which persons stood in which cell, as keyed hashes, and how they differ from earlier releases (P6).

A set file is Parquet of (tbl, cell, person); `tbl` -1 is the whole view. It never leaves the node.
"""

# ruff: noqa: S608 (names in the SQL are quoted and come from a contract whose form was checked)

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb

_UNIVERSE = -1


def quoted(name: str) -> str:
    """A column or table name for SQL."""
    return '"' + name.replace('"', '""') + '"'


def number_of(person: str | None, secret: str, *, hashed: bool) -> str:
    """SQL for the number by which a person is counted: null without a column for persons, or a key in it.

    A column that is `hashed` holds numbers. With `secret` (hex) it is the first 64 bits of SHA-256 over it and
    the key: stable over releases, meaningless elsewhere. Else any hash will do.
    """
    if person is None:
        return "NULL::UBIGINT"
    if hashed:
        return quoted(person)
    key = f"CAST({quoted(person)} AS VARCHAR)"
    if secret:
        return f"('0x' || left(sha256('{bytes.fromhex(secret).hex()}' || {key}), 16))::UBIGINT"
    return f"CASE WHEN {key} IS NOT NULL THEN hash({key}) END"


def write_sets(
    database: duckdb.DuckDBPyConnection, tables: int, inputs: Sequence[str], path: str, *, keep: bool
) -> None:
    """Leave what `persons_<i>` and `everybody_<input>` say at `path`; as the table `sets` too, to `keep` it.

    Hashes do not compress, so nothing is tried.
    """
    lines = [f"SELECT {index} AS tbl, cell, person FROM persons_{index}" for index in range(tables)]
    everybody = " UNION ".join(f"SELECT person FROM {quoted(f'everybody_{name}')}" for name in inputs)
    lines.append(f"SELECT {_UNIVERSE} AS tbl, 0 AS cell, person FROM ({everybody})")
    union = " UNION ALL ".join(f"({line})" for line in lines)
    kind = "TABLE" if keep else "VIEW"
    database.execute(f"CREATE TEMP {kind} sets AS SELECT * FROM ({union}) WHERE person IS NOT NULL")
    database.table("sets").write_parquet(path, compression="uncompressed")


def compare_sets(
    database: duckdb.DuckDBPyConnection, earlier: Mapping[str, Any], below: int, found: dict[str, Any]
) -> None:
    """Add to `found` how the table `sets` differs from the set file of an earlier release.

    `differences`: cells whose persons differ from an earlier cell's by 1 .. below - 1 (for the same query:
    by any number) as [tbl, cell, release, tbl, cell, persons]; `entered`: cells with 1 .. below - 1 persons
    who were nowhere in the earlier view, as [tbl, cell, release, persons]; `universes`: [release, persons
    only now, persons only then].
    """
    database.read_parquet(earlier["path"]).create_view("earlier", replace=True)
    release = earlier["release"]
    wanted = f"both_count > 0 AND differ > 0 AND (differ < {int(below)} OR same_cell)"
    same = "n.tbl = e.tbl AND n.cell = e.cell" if earlier.get("same_query") else "false"
    rows = database.execute(
        f"""WITH n_size AS (SELECT tbl, cell, count(*) AS size FROM sets GROUP BY ALL),
                 e_size AS (SELECT tbl, cell, count(*) AS size FROM earlier GROUP BY ALL),
                 met AS (SELECT n.tbl, n.cell, e.tbl AS etbl, e.cell AS ecell, count(*) AS both_count
                         FROM sets n JOIN earlier e USING (person) GROUP BY ALL),
                 pairs AS (SELECT n.tbl, n.cell, e.tbl AS etbl, e.cell AS ecell, m.both_count,
                                  n.size + e.size - 2 * m.both_count AS differ, {same} AS same_cell
                           FROM met m JOIN n_size n ON (n.tbl, n.cell) = (m.tbl, m.cell)
                           JOIN e_size e ON (e.tbl, e.cell) = (m.etbl, m.ecell))
            SELECT tbl, cell, etbl, ecell, differ FROM pairs
            WHERE tbl <> {_UNIVERSE} AND etbl <> {_UNIVERSE} AND {wanted}"""
    ).fetchall()
    found["differences"] += [[tbl, cell, release, etbl, ecell, int(n)] for tbl, cell, etbl, ecell, n in rows]
    rows = database.execute(
        f"""SELECT tbl, cell, count(*) AS persons FROM sets
            WHERE person NOT IN (SELECT person FROM earlier WHERE tbl = {_UNIVERSE})
            GROUP BY tbl, cell"""
    ).fetchall()
    found["entered"] += [[tbl, cell, release, n] for tbl, cell, n in rows if tbl != _UNIVERSE and n < below]
    only_now = sum(n for tbl, _, n in rows if tbl == _UNIVERSE)
    left = database.execute(
        f"""SELECT count(*) FROM earlier WHERE tbl = {_UNIVERSE}
            AND person NOT IN (SELECT person FROM sets WHERE tbl = {_UNIVERSE})"""
    ).fetchall()
    found["universes"].append([release, only_now, left[0][0]])
