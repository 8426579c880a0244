"""For whom a combined study waits: what the researcher reads while nothing seems to happen."""

from __future__ import annotations

from fairnode.combine.made import untold
from fairnode.network.joined import current_in
from fairnode.records.rows import Computation, Follow
from fairnode.store.database import Reader
from fairnode.studies.combination import party_members
from fairnode.studies.follow import ENDED


def waiting_for(reader: Reader, study: str) -> dict[str, list[str]]:
    """For which nodes (IRIs) a combined study waits: `counts` not ready, `keys` not told, `outputs`
    not sent, or how its part was `made` not told.
    """
    rows = [c for c in reader.find(Computation, {"study": study}) if c.id.startswith("home#")]
    agreement, facts = current_in(reader), rows[0].facts if rows else {"ready": {}, "keys": {}, "outputs": {}}
    lines = [line for line in reader.find(Follow, {"study": study}) if line.state not in ENDED]
    parties = [(str(p.number), m.node) for p, m in party_members(agreement)] if agreement and lines else []
    announced = bool(rows) and rows[0].state == "announced"
    return {
        "counts": [line.node for line in lines if line.dataset not in facts["ready"]],
        "keys": [node for number, node in parties if number not in facts["keys"]],
        "outputs": [node for number, node in parties if announced and number not in facts["outputs"]]
        + [node for number, node in parties if facts.get("taken") and number not in facts["destroyed"]],
        "made": untold(facts) if announced and lines else [],
    }
