"""Whether the data are still those that a visit counted: consent and withdrawals change daily (P19)."""

from __future__ import annotations

import shutil
from pathlib import Path

from fairnode import clock, errors
from fairnode.visits.context import VisitContext
from fairnode.visits.view import make_view


def check_unchanged(context: VisitContext) -> None:
    """Raise `NotValid` when the harmonised view is another one than at the visit.

    A source that is a file which nobody touched since the visit came in is unchanged; any other is read
    again, with today's consent and withdrawals, and the view's hash is compared with the snapshot's.
    """
    if _untouched(context):
        return
    try:
        made = make_view(context)
    finally:
        shutil.rmtree(context.folder, ignore_errors=True)
    if made["sha256"] != context.visit.snapshot:
        raise errors.NotValid(
            "The data have changed since the visit (records, consent or withdrawals), so these counts do "
            "not go in.",
            to_do="The researcher sends the study again; it is counted anew.",
        )


def _untouched(context: VisitContext) -> bool:
    """Whether the source is a file that nobody wrote, or put in place of another, since this visit came in."""
    path = context.dataset.source.get("path")
    if not isinstance(path, str) or not Path(path).is_file():
        return False
    return Path(path).stat().st_ctime < clock.parse(context.visit.created).timestamp()
