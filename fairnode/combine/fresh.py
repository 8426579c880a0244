"""Whether the data are still those that a visit counted: consent and withdrawals change daily (P19)."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from fairnode import clock
from fairnode.visits.context import VisitContext
from fairnode.visits.view import make_view


@dataclass(frozen=True)
class Changed:
    """The harmonised view is another one than at the visit: its hash, and the context in which its files lie."""

    snapshot: str
    context: VisitContext


@contextmanager
def read_again(context: VisitContext) -> Iterator[Changed | None]:
    """Read the data again, with today's consent and withdrawals; None where the view is that of the visit.

    A source that is a file which nobody touched since the visit came in is unchanged; of any other the view is
    made anew, lies there for as long as the `with` lasts, and its hash is compared with the snapshot's.
    """
    if untouched(context):
        yield None
        return
    again = replace(context, again=True)
    try:
        snapshot = str(make_view(again)["sha256"])
        yield None if snapshot == context.visit.snapshot else Changed(snapshot, again)
    finally:
        shutil.rmtree(again.folder, ignore_errors=True)


def untouched(context: VisitContext) -> bool:
    """Whether the source is a file that nobody wrote, or put in place of another, since this visit came in."""
    path = context.dataset.source.get("path")
    if not isinstance(path, str) or not Path(path).is_file():
        return False
    return Path(path).stat().st_ctime < clock.parse(context.visit.created).timestamp()
