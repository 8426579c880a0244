"""The first message of a run: everything that must be the same, before an input is used.

Each party sends a `Hello`; each compares it with its own, field by field. The first difference ends the
run with a code that names the field and the party that stands alone.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from fairnode.mpc.transport.reason import Reason


@dataclass(frozen=True)
class Hello:
    """Digests (hex) and versions of what a party is about to do.

    `inputs` is the digest over the commitments of all dealings: equal digests mean that seeds and
    correction blocks fit each other at all holders (P13).
    """

    engine: str
    run: str
    study: str
    parties: str
    program: str
    parameters: str
    inputs: str

    def encode(self) -> bytes:
        """The bytes sent to every other party."""
        return json.dumps(asdict(self), sort_keys=True).encode()


FIELDS = ("engine", "run", "study", "parties", "program", "parameters", "inputs")
_WHAT = {
    "engine": "another version of the engine or of its libraries",
    "run": "another run",
    "study": "another study",
    "parties": "another list of compute parties",
    "program": "another program or another version of it",
    "parameters": "other parameters",
    "inputs": "other inputs (a dealing that does not fit, or an upload that did not arrive everywhere)",
}


def parse(payload: bytes) -> Hello | None:
    """The hello in `payload`, or None if it is none."""
    try:
        told = json.loads(payload)
    except ValueError:
        return None
    if not isinstance(told, Mapping) or set(told) != set(FIELDS):
        return None
    if not all(isinstance(told[field], str) and len(told[field]) <= 200 for field in FIELDS):
        return None
    return Hello(**{field: told[field] for field in FIELDS})


def difference(me: int, hellos: Mapping[int, Hello | None]) -> Reason | None:
    """What the hellos of all parties (the own one included) do not agree on, or None.

    The party named is the lowest one that differs from what most say; where nobody has a majority, the
    lowest one that differs from this party.
    """
    for party in sorted(hellos):
        if hellos[party] is None:
            return Reason("garbage", party, f"Party {party} sent a first message that nobody can read.")
    for field in FIELDS:
        said = {party: str(getattr(hello, field)) for party, hello in hellos.items()}
        if len(set(said.values())) > 1:
            return _alone(me, field, said)
    return None


def _alone(me: int, field: str, said: Mapping[int, str]) -> Reason:
    value, votes = Counter(said.values()).most_common(1)[0]
    reference = value if 2 * votes > len(said) else said[me]
    party = min(number for number in said if said[number] != reference)
    return Reason(f"other-{field}", party, f"Party {party} has {_WHAT[field]}.")
