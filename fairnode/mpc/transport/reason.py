"""Why a run ended before its result: one code, the party it is about, one sentence."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

CODES = {
    "absent": "a party did not come in time",
    "foreign": "a connection came with a certificate that is not the party's",
    "lost": "a connection broke: the party died or the network was cut",
    "stalled": "a party stopped answering",
    "slow": "the time of the run was over while its parties were still at work",
    "garbage": "a party sent what is not a message of this protocol",
    "oversized": "a party sent more than a message may hold",
    "other-run": "a party speaks of another run",
    "other-engine": "a party has another version of the engine or of a library",
    "other-study": "a party has another study",
    "other-parties": "a party has another list of parties",
    "other-program": "a party has another program",
    "other-parameters": "a party has other parameters",
    "other-inputs": "a party has received other inputs",
    "input": "an input of a party cannot be used",
    "fault": "the program failed at a party",
}


@dataclass(frozen=True)
class Reason:
    """A code of `CODES`, the number of the party it is about, and a sentence for the people of the study.

    `told_by` is the party from whose word this one has it, or None if it saw it itself. A party that lies
    can name another; the outcomes of all parties side by side show it.
    """

    code: str
    party: int
    sentence: str
    told_by: int | None = None

    def to_json(self) -> dict[str, Any]:
        """The reason as it stands in an outcome and in the message to the other parties."""
        told = {"code": self.code, "party": self.party, "sentence": self.sentence}
        return told if self.told_by is None else told | {"told_by": self.told_by}


class RunEnded(Exception):
    """The run ended without a result; nothing of it was opened."""

    def __init__(self, code: str, party: int, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = Reason(code, party, sentence)

    @classmethod
    def because(cls, reason: Reason) -> RunEnded:
        """The exception that carries `reason`."""
        ended = cls(reason.code, reason.party, reason.sentence)
        ended.reason = reason
        return ended


def parse_reason(payload: bytes, teller: int, parties: int) -> Reason:
    """The reason that party `teller` gave for ending the run; a malformed one is about the teller."""
    try:
        told = json.loads(payload)
    except ValueError:
        told = None
    if not isinstance(told, Mapping) or not _well_formed(told, parties):
        return Reason("garbage", teller, f"Party {teller} ended the run with a message nobody can read.")
    return Reason(told["code"], told["party"], told["sentence"], told_by=teller)


def _well_formed(told: Mapping[str, Any], parties: int) -> bool:
    party, sentence = told.get("party"), told.get("sentence")
    return (
        told.get("code") in CODES
        and isinstance(party, int)
        and 0 <= party < parties
        and isinstance(sentence, str)
        and len(sentence) <= 600
        and sentence.isprintable()
    )
