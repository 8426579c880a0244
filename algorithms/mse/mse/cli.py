"""`python -m mse TABLE.csv`: the command line."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from .analyse import FORMAT, Analysis, analyse, to_json
from .errors import TableError
from .methods import METHODS
from .report import report
from .settings import Settings
from .table import read_table

OK, FAILED, BAD_TABLE, REFUSED = 0, 1, 2, 3
EXITS = """exit codes: 0 at least one method gave an estimate; 2 the table or the command line is wrong
(the sentence is on stderr, and with --json an object with `error` on stdout); 3 the table is
readable but nothing is estimated (the reasons are in `refusals`); 1 a file could not be written"""


def parser() -> argparse.ArgumentParser:
    """The command line's options."""
    found = argparse.ArgumentParser(
        prog="python -m mse",
        epilog=EXITS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Estimate how many persons no list has seen, by every published method.",
    )
    found.add_argument(
        "table", type=Path, metavar="TABLE.csv", help="one column a list (0/1), last column `count`"
    )
    found.add_argument(
        "--json", action="store_true", help="print JSON (mse/output.schema.json) instead of a report"
    )
    found.add_argument(
        "--method",
        action="append",
        default=[],
        metavar="NAME",
        choices=sorted(METHODS),
        help=f"only this method (repeatable): {', '.join(METHODS)}",
    )
    found.add_argument(
        "--model",
        action="append",
        default=[],
        metavar="TERMS",
        help='a model named beforehand, such as "LA:NG, NG:GP" (repeatable)',
    )
    found.add_argument(
        "--seed", type=_whole(0, 2**32 - 1), default=1, help="seed of everything random (default 1)"
    )
    found.add_argument(
        "--boot",
        type=_whole(100, 20_000),
        default=1000,
        metavar="B",
        help="bootstrap resamples (default 1000; at most 200 are used above six lists)",
    )
    found.add_argument("--max-order", type=_whole(1, 3), default=None, help="highest term for `bic`")
    found.add_argument(
        "--top", type=_whole(1, 1000), default=20, help="models in the bootstrap of `bic` (default 20)"
    )
    found.add_argument("--plots", type=Path, metavar="DIR", help="write plots (SVG and PNG) into this folder")
    return found


def _whole(low: int, high: int) -> object:
    def whole_number(text: str) -> int:
        value = int(text) if text.isdecimal() and len(text) < 12 else -1
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text} is not a whole number from {low} to {high}")
        return value

    return whole_number


def main(arguments: list[str] | None = None) -> int:
    """Run; answers the exit code."""
    options = parser().parse_args(arguments)
    settings = Settings(
        methods=tuple(dict.fromkeys(options.method)),
        seed=options.seed,
        boot=options.boot,
        models=tuple(options.model),
        max_order=options.max_order,
        top=options.top,
    )
    try:
        analysis = analyse(read_table(options.table), settings)
    except TableError as problem:
        return _bad_table(problem, options.json)
    sys.stdout.write(_json(to_json(analysis)) if options.json else report(analysis))
    if options.plots is not None and analysis.estimates and not _plots(analysis, options.plots):
        return FAILED
    return OK if analysis.estimates else REFUSED


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _bad_table(problem: TableError, as_json: bool) -> int:
    if as_json:
        sys.stdout.write(_json({"type": FORMAT, "error": {"code": "bad-table", "sentence": str(problem)}}))
    sys.stderr.write(f"mse: {problem}\n")
    return BAD_TABLE


def _plots(analysis: Analysis, folder: Path) -> bool:
    from .plots import write_plots  # the one lazy import: matplotlib is not needed for numbers

    try:
        write_plots(analysis, folder)
    except OSError as problem:
        sys.stderr.write(f"mse: cannot write plots to {folder}: {problem.strerror}\n")
        return False
    return True
