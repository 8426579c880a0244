"""Why a result was not taken: a closed list, each with a sentence for the node's custodian.

Outsiders see "not released" and no more (P8): which of these it was depends on the data.
"""

from __future__ import annotations

from enum import StrEnum

from fairnode import errors
from fairnode.disclosure.rules import load_rules


class Refusal(StrEnum):
    """A reason to refuse a whole result."""

    TOO_LARGE = "too-large"
    NOT_TEXT = "not-text"
    NOT_JSON = "not-json"
    TOO_DEEP = "too-deep"
    TOO_MANY_ITEMS = "too-many-items"
    NUMBER_FORM = "number-form"
    DUPLICATE_KEY = "duplicate-key"
    CHARACTER = "character"
    NOT_A_RESULT = "not-a-result"
    OTHER_TABLES = "other-tables"
    OTHER_CELLS = "other-cells"
    CELL_FORM = "cell-form"
    CONTRACT = "contract"
    MISMATCH = "mismatch"
    UNIVERSE = "universe"
    DIFFERENCING = "differencing"
    NODE_SETS = "node-sets"
    BUDGET = "budget"
    TOO_MANY_DIGITS = "too-many-digits"
    MODEL = "model"
    REVIEWS = "reviews"

    @property
    def sentence(self) -> str:
        """What happened, for the custodian."""
        return _SENTENCES[self]

    @property
    def check(self) -> str:
        """The IRI of the check of the StatBarns ontology that it is; empty where it is none of disclosure."""
        return load_rules().rule(_RULES[self]).iri if self in _RULES else ""


# The rule that says so.
_RULES = {
    Refusal.CONTRACT: "size",
    Refusal.UNIVERSE: "universe",
    Refusal.DIFFERENCING: "differencing",
    Refusal.NODE_SETS: "node-sets",
    Refusal.BUDGET: "budget",
    Refusal.TOO_MANY_DIGITS: "class-b",
    Refusal.MODEL: "model",
    Refusal.REVIEWS: "class-b",
}

_SENTENCES = {
    Refusal.TOO_LARGE: "The result file is larger than agreed.",
    Refusal.NOT_TEXT: "The result file is not UTF-8 text, or begins with a byte order mark.",
    Refusal.NOT_JSON: "The result file is not one JSON value.",
    Refusal.TOO_DEEP: "The result is nested too deeply.",
    Refusal.TOO_MANY_ITEMS: "The result has too many items.",
    Refusal.NUMBER_FORM: "The result holds a number that is not finite, too long, or minus zero.",
    Refusal.DUPLICATE_KEY: "An object in the result has the same key twice.",
    Refusal.CHARACTER: "A text in the result holds an invisible, unassigned or not normalised character.",
    Refusal.NOT_A_RESULT: "The result does not have the form fairnode.result/1, or has more in it than that.",
    Refusal.OTHER_TABLES: "The tables are not exactly those of the output contract.",
    Refusal.OTHER_CELLS: "A table has a cell too many, too few, twice, or with a code not agreed on.",
    Refusal.CELL_FORM: "A cell does not hold what its table's kind asks for.",
    Refusal.CONTRACT: "The output contract itself is not valid or larger than the rules allow.",
    Refusal.MISMATCH: "The container's numbers are not those that the node counted itself.",
    Refusal.UNIVERSE: "The study is about too few persons.",
    Refusal.DIFFERENCING: "The study's persons differ by only a few from those of an earlier release.",
    Refusal.NODE_SETS: "The same cells were released over another set of nodes, too alike to this one.",
    Refusal.BUDGET: "The requester's budget of releases for this dataset is used up.",
    Refusal.TOO_MANY_DIGITS: "The numbers hold more digits or bits than may leave without recount.",
    Refusal.MODEL: "There are too many numbers for so few persons: a model with as many parameters could be them.",
    Refusal.REVIEWS: "The reviews that this result needs are not there.",
}


class Refused(errors.FairnodeError):
    """A result that is not taken. The text says no more than that; `refusal` and `where` are internal."""

    code = "not-released"
    title = "Not released"
    http_status = 403
    exit_code = 7

    def __init__(self, refusal: Refusal, where: str = "") -> None:
        self.refusal = refusal
        self.where = where
        parts = (f"{refusal}: {refusal.sentence}", where, refusal.check)
        super().__init__("Not released.", internal=" ".join(part for part in parts if part))

    @property
    def facts(self) -> dict[str, str]:
        """What the ledger says of it: the reason, and the IRI of the check if it is one of disclosure."""
        check = self.refusal.check
        return {"refusal": self.refusal.value, **({"check": check} if check else {})}
