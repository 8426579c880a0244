"""Child job: a harmonised view for counting a profile, in which "not recorded" is a code like any other.

In: as `fairnode.jobs.view`, whose `"companion"` is the file that is wanted; `"fill"` is the code. The plain
view is not kept. Out: as `fairnode.jobs.view`.
"""

# ruff: noqa: S608 - names are those of the view's own columns, quoted

from __future__ import annotations

from pathlib import Path
from typing import Any

from fairnode.datasets.expressions import literal, quoted
from fairnode.jobs import view
from fairnode.jobs.database import open_database
from fairnode.jobs.process import main


def run(job: dict[str, Any]) -> dict[str, Any]:
    """Make the view, then fill its companion. Raises what making a view raises."""
    made = view.run(job)
    Path(job["output"]).unlink()
    _fill(Path(job["companion"]), made["schema"], job["fill"])
    return made


def _fill(path: Path, columns: list[dict[str, Any]], code: str) -> None:
    """Write `code` where there is no value; numbers become text."""
    selects = [_filled(column, literal(code)) for column in columns]
    part = path.with_suffix(".filled")
    with open_database(1) as database:
        database.read_parquet(str(path)).create_view("companion")
        database.sql(f"SELECT {', '.join(selects)}, person FROM companion").write_parquet(
            str(part), compression="zstd"
        )
    part.replace(path)


def _filled(column: dict[str, Any], code: str) -> str:
    """One column of the filled view."""
    name = quoted(column["name"])
    if column["multiple"]:
        return f"CASE WHEN len({name}) > 0 THEN {name} ELSE [{code}] END AS {name}"
    return f"coalesce(CAST({name} AS VARCHAR), {code}) AS {name}"


if __name__ == "__main__":
    main(run)
