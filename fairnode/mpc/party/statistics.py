"""What a run has to show for itself: sizes, counts and times, none of which depends on a secret.

Every outcome of `party.run` carries these as JSON (`to_json`), the ledger keeps them, and the page of a
study reads them back (`parse_statistics`). All fields are flat numbers and words, as the ledger takes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from fairnode.errors import NotValid


@dataclass(frozen=True)
class RunStatistics:
    """One run at one party.

    `engine` and `program_digest`: versions; `inputs`: digest over the commitments of all contributors (hex),
    equal at all parties of a run. Seconds of wall time: until all were connected (`joining`), until
    everything was agreed on (`agreeing`), for the program (`computing`), and in all (`seconds`); `cpu_seconds`
    of this process. Bytes sent and received between parties, headers included; `messages` sent; `rounds`:
    turns from receiving to sending. `opened_values`: numbers that the compute parties were told, masked
    ones included; what only the recipient can join does not count. `peak_memory` in bytes.
    """

    party: int
    parties: int
    engine: str = ""
    program_digest: str = ""
    inputs: str = ""
    seconds: float = 0.0
    joining: float = 0.0
    agreeing: float = 0.0
    computing: float = 0.0
    cpu_seconds: float = 0.0
    bytes_sent: int = 0
    bytes_received: int = 0
    messages: int = 0
    rounds: int = 0
    opened_values: int = 0
    peak_memory: int = 0

    def to_json(self) -> dict[str, Any]:
        """As it stands in an outcome and in the ledger."""
        return asdict(self)


def parse_statistics(told: Mapping[str, Any]) -> RunStatistics:
    """The statistics in a JSON object that another node told. Raises NotValid for anything else."""
    kinds = {field.name: type(field.default) for field in fields(RunStatistics)} | {
        "party": int,
        "parties": int,
    }
    if not set(told) <= set(kinds):
        raise NotValid("The statistics of a run have fields that this node does not know.")
    for name, value in told.items():
        kind = kinds[name]
        plain = isinstance(value, str) and len(value) <= 200 and value.isprintable()
        number = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 2**63
        if not (plain if kind is str else number and (kind is float or isinstance(value, int))):
            raise NotValid(f"The statistics of a run have something else than a value as `{name}`.")
    if not {"party", "parties"} <= set(told):
        raise NotValid("The statistics of a run do not say of which party they are.")
    return RunStatistics(**told)
