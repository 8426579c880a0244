"""What a visit costs its requester; a row like those of `fairnode.records.rows`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Charge:
    """One visit counted against the requester's budget for a lineage; `id` is the visit.

    `requester` is the organisation, `day` an ISO date. `epsilon` is what differential privacy costs, in
    thousandths; 0 where no noise is added.
    """

    id: str
    lineage: str
    requester: str
    day: str
    epsilon: int
    created: str
