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


def number_persons(database: duckdb.DuckDBPyConnection, inputs: Sequence[str], person: str) -> None:
    """The table `people`: every person key of the views `file_<input>` and a number for it.

    Numbers are of this run only; they make counting persons cheaper than by their keys.
    """
    keys = " UNION ".join(
        f"SELECT DISTINCT CAST({quoted(person)} AS VARCHAR) AS key FROM {quoted('file_' + name)}"
        for name in inputs
    )
    database.execute(
        "CREATE TEMP TABLE people AS SELECT key, row_number() OVER () AS number "
        f"FROM ({keys}) WHERE key IS NOT NULL"
    )


def write_sets(database: duckdb.DuckDBPyConnection, tables: int, secret: str, path: str) -> None:
    """Make the table `sets` from the tables `persons_<i>` and leave it at `path`.

    A person becomes the first 64 bits of SHA-256 over the node's `secret` (hex) and the key: stable over
    releases, meaningless elsewhere. With 1e6 persons two collide once in 3e7 data sets.
    """
    database.execute(
        "CREATE TEMP TABLE hashes AS SELECT number, "
        "('0x' || left(sha256(? || key), 16))::UBIGINT AS person FROM people",
        [secret],
    )
    lines = [
        f"SELECT {index} AS tbl, cell, h.person FROM persons_{index} p JOIN hashes h ON p.person = h.number"
        for index in range(tables)
    ]
    lines.append(f"SELECT {_UNIVERSE} AS tbl, 0 AS cell, person FROM hashes")
    database.execute(f"CREATE TEMP TABLE sets AS {' UNION ALL '.join(lines)}")
    database.table("sets").write_parquet(path, compression="zstd")


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
