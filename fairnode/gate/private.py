"""Results under differential privacy: noisy counts, or the noisy mean of what parts of the data said.

Every cell is shown: what protects is the noise, and which cells are hidden would depend on the data.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fairnode.child import run_child
from fairnode.disclosure.rounding import limit_digits, margins
from fairnode.disclosure.rules import RuleSet
from fairnode.gate import strict_json
from fairnode.gate.contract import read_result
from fairnode.gate.refusals import Refused
from fairnode.records.result import OutputContract, PublicCell, PublicTable, Recount, Status
from fairnode.studies.privacy import PrivacyTerms


def noisy_counts(recount: Recount, terms: PrivacyTerms, spool: Path) -> tuple[PublicTable, ...]:
    """The node's own counts of persons with noise; below zero is shown as zero, sums are of what is shown.

    One person is in one cell of each table, so all the counts together change by the number of tables.
    """
    values: list[float] = [cell.n for table in recount.tables for cell in table.cells]
    noisy = iter(_noise(values, terms, float(len(recount.tables)), spool, counts=True))
    made = []
    for table in recount.tables:
        cells = tuple(PublicCell(c.key, Status.SHOWN, max(0, round(next(noisy)))) for c in table.cells)
        made.append(PublicTable(table.spec, cells, margins(table.spec, cells), 1))
    return tuple(made)


def sampled(
    parts: Sequence[bytes], contract: OutputContract, terms: PrivacyTerms, rules: RuleSet, spool: Path
) -> tuple[PublicTable, ...]:
    """The mean over the parts of every number, with noise: one person changes one part, and so each mean by
    (high - low) / parts at most. `parts` is what each run wrote; what is no result counts as the middle.
    """
    answers = [_answer(raw, contract, terms) for raw in parts]
    means = [sum(column) / len(answers) for column in zip(*answers, strict=True)]
    sensitivity = len(means) * (terms.high - terms.low) / len(answers)
    noisy = iter(_noise(means, terms, sensitivity, spool, counts=False))
    digits = rules.count("class-b.digits")
    return tuple(
        PublicTable(
            spec,
            tuple(
                PublicCell(
                    key,
                    Status.SHOWN,
                    None,
                    limit_digits(terms.within(next(noisy)), digits),
                )
                for key in spec.keys()  # noqa: SIM118 - a method of the specification, no dict
            ),
            (),
            0,
        )
        for spec in contract.tables
    )


def _answer(raw: bytes, contract: OutputContract, terms: PrivacyTerms) -> list[float]:
    """The numbers of one part, in the contract's order, each within bounds."""
    wanted = sum(len(list(spec.keys())) for spec in contract.tables)
    try:
        result = read_result(strict_json.read(raw), contract)
    except Refused:
        return [terms.middle] * wanted
    told = [cell.v for table in result.tables for cell in table.cells]
    return [terms.middle if v is None else terms.within(v) for v in told]


def _noise(
    values: list[float], terms: PrivacyTerms, sensitivity: float, spool: Path, *, counts: bool
) -> list[float]:
    job = {"values": values, "epsilon": terms.epsilon, "sensitivity": sensitivity, "counts": counts}
    return list(run_child("noise", job, spool=spool, seconds=120.0)["values"])
