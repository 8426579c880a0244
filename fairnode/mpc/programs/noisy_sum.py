"""`noisy-sum`: vectors of the contributors, none longer than one clip, added, with noise on every number.

For what a container computed and the node cannot recount (P1's exception). Nobody believes the vectors: what is
opened must be harmless whatever stands in them.

**Shape.** Each contributor deals `cells` whole numbers, the coordinates of its vector in steps of 1 / STEPS clip;
its node has cut the vector to one clip before. They are elements modulo 2^61 - 1.
**What is opened.** To the recipient: the sum with noise, in steps. To the compute parties: masked numbers, one
a contributor, and MPyC's comparisons (statistical distance 2^-40 each). Which vectors were too long stays secret.

**How.** A vector whose length is over one clip counts as nothing: squares are added and compared under sharing.
Noise: for each set T of t parties those not in T draw, from a seed that only they share, a discrete Gaussian of
standard deviation `noise` clips for each number (`gaussian`). Any t parties lack one of these seeds. So the
sum that the recipient opens, even together with t parties and all contributors but one, is zero-concentrated
differentially private for *whatever one organisation puts in*: two vectors of one clip lie two clips apart,
rho = (2 clip)^2 / (2 (noise clip)^2) = 2 / noise^2. The others' noise (m choose t in all) comes on top.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from fairnode.errors import Finding, NotValid
from fairnode.mpc.dealing import P61, Ring, Rows, Words
from fairnode.mpc.openings import rule
from fairnode.mpc.programs import gaussian
from fairnode.mpc.programs.contract import Columns, Parameters, Program, Session, Shared, Shares, Table
from fairnode.mpc.programs.gaussian import Stream, discrete_gaussian

STEPS = 1000
"""Steps of a clip: squares of vectors stay below 2^20, where a comparison's masks hide them."""
MOST_NUMBERS, LEAST_NOISE, MOST_NOISE = 256, 4, 1000
_SEED_WORDS = 16


def check(parameters: Parameters, contributors: int, parties: int) -> None:
    """Raise NotValid with one finding for each parameter that is missing, unknown or out of range."""
    ranges = {
        "cells": range(1, MOST_NUMBERS + 1),
        "noise": range(LEAST_NOISE, MOST_NOISE + 1),
        "engine": ("mpyc",),
    }
    clip = parameters.get("clip")
    findings = [
        Finding(name, "is missing or not a value that this program takes")
        for name, values in ranges.items()
        if isinstance(parameters.get(name), bool) or parameters.get(name) not in values
    ]
    if isinstance(clip, bool) or not isinstance(clip, int | float) or not 0 < clip < 1e9:
        findings.append(Finding("clip", "is the greatest length of a vector, more than 0"))
    unknown = sorted(set(parameters) - set(ranges) - {"clip"})
    findings += [Finding(name, "is not a parameter of this program") for name in unknown]
    if findings:
        raise NotValid("The parameters of `noisy-sum` are not complete.", findings=tuple(findings))
    rule.check_contributors(contributors, parties)


def length(parameters: Parameters, _: int = 0) -> int:
    """How many numbers each contributor deals."""
    return int(parameters["cells"])


def encode(columns: Columns, parameters: Parameters, _: int = 0) -> Words:
    """`[coordinates in steps]` as ring elements. Raises NotValid for a vector that is longer than one clip."""
    (steps,) = columns
    if len(steps) != int(parameters["cells"]) or sum(int(n) ** 2 for n in steps) > STEPS**2:
        raise NotValid(
            f"This study asks for {parameters['cells']} numbers, together no longer than one clip."
        )
    return np.array([int(n) % P61 for n in steps], dtype=np.uint64)


async def run(session: Session, inputs: Sequence[Rows], parameters: Parameters) -> Shares:
    """The output shares of this party: `numbers`."""
    mpc, cells = session.runtime, int(parameters["cells"])
    vectors = mpc.np_stack([session.enter(rows) for rows in inputs])
    clipped = vectors * await _within(session, vectors)
    total = sum(clipped[i] for i in range(1, len(inputs))) + clipped[0]
    noisy = total + session.weigh(_noise(session, cells, int(parameters["noise"]) * STEPS))
    (numbers,) = await mpc.gather([noisy])
    return {"numbers": numbers.value}


async def _within(session: Session, vectors: Shared) -> Shared:
    """For each vector 1 where it is no longer than a clip, else 0; as a column."""
    mpc, contributors = session.runtime, vectors.shape[0]
    squares = vectors * vectors
    norms = sum((squares[:, i] for i in range(1, vectors.shape[1])), start=squares[:, 0])
    kind = mpc.SecInt(48)
    lifted = await session.lift(norms, kind)
    beyond = mpc.np_less(STEPS**2 - lifted, 0)
    bits = mpc.convert(mpc.np_tolist(1 - beyond), session.field)
    return mpc.np_fromlist(bits).reshape(contributors, 1)


def _noise(session: Session, cells: int, sigma: int) -> Mapping[tuple[int, ...], Shared]:
    """For each set T that this party is not in, the noise that all parties outside T draw alike."""
    found = {}
    for subset, words in session.split_random(1 << 32, _SEED_WORDS).items():
        stream = Stream(b"".join(int(word).to_bytes(4, "big") for word in words))
        drawn = [discrete_gaussian(stream, sigma) for _ in range(cells)]
        found[subset] = np.array(drawn, dtype=object)
    return found


def table(opened: Mapping[str, Sequence[int]], parameters: Parameters) -> Table:
    """The noisy sum in the units of the vectors, at three significant figures, with clip and noise."""
    clip = float(parameters["clip"])
    signed = [n - P61 if n > P61 // 2 else n for n in map(int, opened["numbers"])]
    numbers = [float(f"{n * clip / STEPS:.3g}") for n in signed]
    return {"numbers": numbers, "clip": clip, "noise": int(parameters["noise"])}


def describe(parameters: Parameters) -> str:
    """What the study's page says about this computation."""
    return (
        f"Adds {parameters['cells']} numbers that a container computed and no node recounted. Each organisation's "
        f"numbers are a vector cut to the length {parameters['clip']}; one that is longer counts as nothing. To "
        f"every number of the sum noise is added of {parameters['noise']} times that length, by each group of "
        "compute parties of which the others do not know the seed. Nothing but the noisy sum is opened."
    )


NOISY_SUM = Program(
    name="noisy-sum",
    version="1",
    sources=(__name__, gaussian.__name__, rule.__name__),
    check=check,
    ring=lambda _: Ring.P61,
    length=length,
    encode=encode,
    run=run,
    table=table,
    describe=describe,
)
