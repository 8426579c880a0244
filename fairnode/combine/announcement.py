"""The announcement of a combination: what the home node says to contributors and compute parties alike.

The home node is believed in nothing that study, agreement and the parties' own signatures say already. Both
contributors and parties check that, and a share is filed under the announcement that it was cut for: shares
for one set of contributors cannot be added in a run over another one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fairnode import errors
from fairnode.keys import canonical, digest, verify
from fairnode.mpc.openings.rule import check_contributors
from fairnode.mpc.programs import programs
from fairnode.network.agreement import Agreement
from fairnode.studies.combination import (
    combine_stage,
    is_overlap,
    party_members,
    program_name,
    program_parameters,
    receiver_key_bytes,
)
from fairnode.studies.container import container_stage
from fairnode.studies.document import StudyPlan
from fairnode.studies.send import home_of

MOST_ATTEMPTS = 9
BOUND = ("stage", "attempt", "contributors", "receiverKeys", "program", "recipient", "earlier")
"""What a share is bound to: all of the announcement but the run id, which another start of the run changes."""


def read_announcement(body: Mapping[str, Any]) -> dict[str, Any]:
    """An announcement with nothing in it but what it should hold, each in its own form.

    Raises `KeyError`, `TypeError` or `ValueError` for one that is malformed: its message is refused.
    """
    program = body["program"]
    return {
        "stage": str(body["stage"]),
        "run": bytes.fromhex(body["run"]).hex(),
        "attempt": int(body["attempt"]),
        "contributors": [
            {"dataset": str(c["dataset"]), "node": str(c["node"])} for c in body["contributors"]
        ],
        "receiverKeys": [
            {
                "party": int(key["party"]),
                "key": bytes.fromhex(key["key"]).hex(),
                "signature": bytes.fromhex(key["signature"]).hex(),
            }
            for key in body["receiverKeys"]
        ],
        "program": {
            "name": str(program["name"]),
            "digest": str(program["digest"]),
            "parameters": dict(program["parameters"]),
        },
        "recipient": bytes.fromhex(body["recipient"]).hex(),
        "earlier": [str(name) for name in body["earlier"]],
        "retry": _retry(body.get("retry")),
    }


def _retry(told: Mapping[str, Any] | None) -> dict[str, str] | None:
    """Who asked for another attempt, and the signature under that."""
    if told is None:
        return None
    return {"node": str(told["node"]), "signature": bytes.fromhex(told["signature"]).hex()}


def announcement_digest(facts: Mapping[str, Any]) -> str:
    """The name of an announcement (SHA-256, hex), the same for every start of its run."""
    return digest(canonical({name: facts[name] for name in BOUND}))


def check_announcement(plan: StudyPlan, agreement: Agreement, home: str, facts: Mapping[str, Any]) -> None:
    """Raise `NotValid` unless an announcement of node `home` is what study and agreement say."""
    _check_contributors(plan, agreement, facts)
    _check_keys(plan, agreement, facts)
    _check_program(plan, agreement, facts)
    _check_attempt(plan, agreement, facts)
    member = agreement.member(home)
    if member is None or facts["recipient"] != member.sealing:
        raise errors.NotValid(
            "The result would be sealed to another key than the home node's in the agreement."
        )


def _check_contributors(plan: StudyPlan, agreement: Agreement, facts: Mapping[str, Any]) -> None:
    """Each is a dataset of the study at its own node, once; and there are as many as P4 asks."""
    told = [(str(c["dataset"]), str(c["node"])) for c in facts["contributors"]]
    datasets = [dataset for dataset, _ in told]
    if len(set(datasets)) != len(datasets) or not set(datasets) <= set(plan.datasets):
        raise errors.NotValid("The announced contributors are not those of the study.")
    if any(home_of(dataset) != node or agreement.member(node) is None for dataset, node in told):
        raise errors.NotValid("An announced contributor is not the node that holds the dataset.")
    check_contributors(len(told), len(agreement.parties))
    if is_overlap(plan) and tuple(datasets) != plan.datasets:
        raise errors.NotValid("An overlap is over all lists of the study, in its order, or not at all.")


def _check_keys(plan: StudyPlan, agreement: Agreement, facts: Mapping[str, Any]) -> None:
    """The receiver keys are those of the agreed compute parties, each signed by its own."""
    members = {party.number: member for party, member in party_members(agreement)}
    told = {int(key["party"]): key for key in facts["receiverKeys"]}
    if set(told) != set(members) or len(told) != len(facts["receiverKeys"]):
        raise errors.NotValid("The announced compute parties are not those of the agreement.")
    if len({key["key"] for key in told.values()}) != len(told):
        raise errors.NotValid("Two compute parties have the same receiver key.")
    for number, member in members.items():
        signed = receiver_key_bytes(plan.hash, str(facts["stage"]), number, str(told[number]["key"]))
        if not verify(member.signing, bytes.fromhex(str(told[number]["signature"])), signed):
            raise errors.NotValid(f"The receiver key of compute party {number} is not signed by it.")


def _check_program(plan: StudyPlan, agreement: Agreement, facts: Mapping[str, Any]) -> None:
    """The program is the stage's, in this node's own version, with the parameters of study and agreement."""
    stage, told = combine_stage(plan), facts["program"]
    if stage is None or stage.name != facts["stage"] or told["name"] != program_name(plan):
        raise errors.NotValid("The announced program is not that of the study.")
    if told["digest"] != programs()[told["name"]].digest:
        raise errors.NotValid(f"The announced program '{told['name']}' has another digest than this node's.")
    cells, earlier = int(told["parameters"].get("cells", 0)), len(facts["earlier"])
    parameters = program_parameters(plan, agreement, cells, earlier)
    if told["parameters"] != parameters or len(set(facts["earlier"])) != len(facts["earlier"]):
        raise errors.NotValid("The home node asks for other parameters than study and agreement say.")


def _check_attempt(plan: StudyPlan, agreement: Agreement, facts: Mapping[str, Any]) -> None:
    """The first attempt, or one that a member asked for, signed, who had contributed to the one before it."""
    attempt, retry = int(facts["attempt"]), facts["retry"]
    if attempt == 1 and retry is None:
        return
    if container_stage(plan) is not None:
        raise errors.NotValid("What a container computed is dealt once: other noise over it would tell more.")
    member = agreement.member(retry["node"]) if retry else None
    if not 1 < attempt <= MOST_ATTEMPTS or retry is None or member is None:
        raise errors.NotValid("The announced attempt is not one that a contributor asked for.")
    if member.node not in {home_of(dataset) for dataset in plan.datasets}:
        raise errors.NotValid("The announced attempt is not one that a contributor asked for.")
    signed = attempt_bytes(plan.hash, str(facts["stage"]), attempt)
    if not verify(member.signing, bytes.fromhex(retry["signature"]), signed):
        raise errors.NotValid("The announced attempt is not signed by the contributor who asked for it.")


def attempt_bytes(study: str, stage: str, attempt: int) -> bytes:
    """What a contributor signs that takes back what it dealt in the attempt before."""
    return canonical({"type": "fairnode.attempt/1", "study": study, "stage": stage, "attempt": attempt})
