"""P1's exception: what a container computed and the node cannot recount enters shares, with noise. Off by default.

Only where the dataset's policy carries `htpol:ContainerSharesAllowed`, two organisations of the node's own trust
list approved the algorithm after making its image from the source, none asked for changes, and the people of the
node signed for it by hand. In the study's stage `combine`, program `noisy-sum`, the options say

    {"clip": 1.0, "noise": 40}        the greatest length of an organisation's vector; the noise, in clips
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from fairnode import errors
from fairnode.disclosure.rules import RuleSet
from fairnode.mpc.programs.noisy_sum import LEAST_NOISE, MOST_NOISE, MOST_NUMBERS, NOISY_SUM, STEPS
from fairnode.studies.document import Stage, StudyPlan

MODIFIER = "ContainerSharesAllowed"
REPRODUCED_BY = 2  # organisations
DELTA = 1e-6
"""The chance that the epsilon of a round does not hold."""


def container_stage(plan: StudyPlan) -> Stage | None:
    """The stage that adds what containers computed, if a study has one."""
    return next((s for s in plan.stages if s.kind == "combine" and s.program == NOISY_SUM.name), None)


def container_parameters(stage: Stage, numbers: int) -> dict[str, Any]:
    """The program's parameters, from the stage's options; `check` of the program says what is wrong."""
    return {
        "cells": numbers,
        "clip": stage.options.get("clip"),
        "noise": stage.options.get("noise"),
        "engine": "mpyc",
    }


def epsilon(noise: int) -> float:
    """What a round costs, whatever one organisation puts in, at `DELTA` (Bun, Steinke 2016: rho = 2 / noise^2)."""
    rho = 2 / noise**2
    return rho + 2 * math.sqrt(rho * -math.log(DELTA))


def cost(plan: StudyPlan) -> int:
    """Thousandths of epsilon that a study's round costs, rounded up; 0 where no container's numbers are added."""
    stage = container_stage(plan)
    return math.ceil(1000 * epsilon(int(stage.options["noise"]))) if stage else 0


def stage_findings(plan: StudyPlan, contributors: int, parties: int) -> list[errors.Finding]:
    """What is wrong with the stages and options of a study that adds what containers computed."""
    stage = container_stage(plan)
    if stage is None:
        return []
    found = []
    if [s.kind for s in plan.stages] != ["visit", "combine"] or plan.document["openings"] != [stage.name]:
        found.append(
            errors.Finding("stages", f"has one visit and '{stage.name}', which is all that is opened")
        )
    if stage.max_rounds != 1:
        found.append(
            errors.Finding(f"stages/{stage.name}/maxRounds", "is 1: each round is a study of its own")
        )
    try:
        NOISY_SUM.check(container_parameters(stage, 1), contributors, parties)
    except errors.NotValid as error:
        found += [errors.Finding(f"stages/{stage.name}/options/{f.where}", f.what) for f in error.findings]
    return found


def check_numbers(stage: Stage, numbers: int, rules: RuleSet) -> None:
    """Raise `NotValid` for more numbers than the program adds, or less noise than the rules' epsilon asks."""
    noise = stage.options.get("noise")
    if not isinstance(noise, int) or not LEAST_NOISE <= noise <= MOST_NOISE:
        raise errors.NotValid(f"The noise of stage {stage.name} is from {LEAST_NOISE} to {MOST_NOISE} clips.")
    if numbers > MOST_NUMBERS:
        raise errors.NotValid(
            f"A container's vector has {MOST_NUMBERS} numbers at most; this one has {numbers}."
        )
    most = rules.number("privacy-loss.epsilon")
    if epsilon(noise) > most:
        raise errors.NotValid(
            f"Noise of {noise} clips costs an epsilon of {epsilon(noise):.2f}; all answers may cost {most}."
        )


def check_allowed(modifiers: Sequence[str], reviews: Mapping[str, Any]) -> None:
    """Raise `NotValid` unless policy and reviews allow that a container's numbers enter shares (P1).

    `modifiers` are the conditions of the dataset's policy, `reviews` what an approval binds of reviews.
    """
    if MODIFIER not in modifiers:
        raise errors.NotValid(
            "The dataset's policy does not allow that a container's own numbers are combined."
        )
    told = reviews["reliedOn"]
    if any(review["opinion"] != "approved" for review in told):
        raise errors.NotValid("A reviewer whose word counts at this node asked for changes of the algorithm.")
    made = reproduced_by(reviews)
    if len(made) < REPRODUCED_BY:
        raise errors.NotValid(
            f"The image was made from its source by {len(made)} organisations whose reviews count at this node; "
            f"a container's own numbers need {REPRODUCED_BY}."
        )


def reproduced_by(reviews: Mapping[str, Any]) -> list[str]:
    """The organisations, each by a node of its own, that approved and made the image from its source."""
    found = {
        review["node"]: review["organisation"]
        for review in reviews["reliedOn"]
        if review["reproduced"] and review["opinion"] == "approved"
    }
    return sorted(set(found.values()))


def clipped(values: Sequence[float], clip: float) -> list[int]:
    """A vector in steps of 1 / STEPS of a clip, no longer than one clip: cut to that length, then towards zero."""
    longest = max(math.hypot(*values), clip)
    return [math.trunc(value / longest * STEPS) for value in values]


def container_facts(plan: StudyPlan, reviews: Mapping[str, Any]) -> dict[str, Any] | None:
    """What an approval binds of the exception; None for a study that makes no use of it."""
    stage = container_stage(plan)
    if stage is None:
        return None
    return {
        "clip": stage.options["clip"],
        "noise": stage.options["noise"],
        "epsilonThousandths": cost(plan),
        "delta": DELTA,
        "reproducedBy": reproduced_by(reviews),
    }
