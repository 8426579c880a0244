"""The audit of complementary suppression, run in a child process: web and worker load no SciPy."""

from __future__ import annotations

from pathlib import Path

from fairnode.child import run_child
from fairnode.disclosure.audit import Answer, Audit, Question, answer_from_json, question_to_json

# The child counts its own computing time, so that a busy machine does not change a verdict.
_BUSY = 10
_START_AND_LAST_STEP = 60.0


def child_audit(spool: Path) -> Audit:
    """An `Audit` for `fairnode.disclosure.judge` that starts a child for each question it is asked.

    The child ends its search after the seconds of computing that the question allows; `Unavailable` is
    raised if even on a busy machine it should have ended long ago.
    """

    def ask(question: Question) -> Answer:
        seconds = _BUSY * question.seconds + _START_AND_LAST_STEP
        return answer_from_json(
            run_child("lp_audit", question_to_json(question), spool=spool, seconds=seconds)
        )

    return ask
