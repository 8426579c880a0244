"""How a visit's figures were made, as it leaves with them: by which image, from what, approved by which roles.

What was read is told as a keyed hash: the node can show later that it was this, and a hash without a key would
let whoever guesses a small table find out whether the guess is right (P21). Who approved is told by role and by
the hash of what they signed, on which day, never by name.
"""

from __future__ import annotations

from typing import Any

from fairnode import __version__
from fairnode.keys import commitment
from fairnode.node import Node
from fairnode.records.rows import Algorithm, Approval, Visit
from fairnode.records.states import ApprovalState

APPROVE = "approve"


def made_of(node: Node, visit: Visit) -> dict[str, Any]:
    """`{"software", "algorithm", "input", "approvals"}` of a visit whose tables passed the gate."""
    with node.store.read() as reader:
        algorithm = reader.get(Algorithm, visit.algorithm)
        given = reader.find(Approval, {"visit": visit.id, "state": ApprovalState.GIVEN}, order="created")
    image = algorithm or Algorithm(visit.algorithm, "", "", "", b"", "", "", "", "", "")
    return {
        "software": f"fairnode {__version__}",
        "algorithm": {
            "name": image.name,
            "version": image.version,
            "identity": image.image,
            "manifest": f"sha256:{image.sha256}",
        },
        "input": f"hmac-sha256:{commitment(node.keys.secret, f'{visit.id} {visit.snapshot}'.encode())}",
        "approvals": [
            {"role": a.role, "content": f"sha256:{a.content}", "day": a.created[:10]}
            for a in given
            if a.decision == APPROVE
        ],
    }
