"""Outputs that exist only if a condition holds, and that say nothing at all if it does not.

A condition is a product of shared factors, none of which may be zero. Multiplied by a secret random number
it becomes `mark`: zero if the condition fails, else uniform among the nonzero numbers. The recipient gets
mark and mark times the value, as shares: either both are zero, or their quotient is the value. The
compute parties see neither. It needs no comparison and no statistical mask: it is exact and perfectly hiding,
but for a chance of 2^-61 that a cell is hidden for no reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fairnode.mpc.dealing import P61
from fairnode.mpc.programs.contract import Session, Shared, Shares

MARK = "mark"


def small_roots(y: Shared, least: int) -> list[Shared]:
    """Factors of (y - 1)(y - 2)...(y - least + 1): one of them is zero exactly where 1 <= y < least.

    The roots j and least - j go together: (y - j)(y - least + j) = w + j (least - j) with
    w = y^2 - least y; two such pairs are linear in w and w^2, so that about least / 4 factors are left.
    """
    pairs = [j * (least - j) for j in range(1, (least + 1) // 2)]
    factors = [y - least // 2] if least % 2 == 0 else []
    if pairs:
        w = y * y - least * y
        if len(pairs) > 1:
            square = w * w
            factors += [square + (a + b) * w + a * b for a, b in zip(pairs[::2], pairs[1::2], strict=False)]
        if len(pairs) % 2:
            factors.append(w + pairs[-1])
    return factors


async def if_all_nonzero(session: Session, factors: Sequence[Shared], values: Mapping[str, Shared]) -> Shares:
    """Shares of `mark` and of mark times each value; factors are arrays (rows, cells), values (cells,)."""
    mpc = session.runtime
    condition = mpc.np_prod(mpc.np_vstack(tuple(factors)), axis=0)
    mark = condition * session.random(condition.shape[0])
    outputs = {MARK: mark, **{name: mark * value for name, value in values.items()}}
    gathered = await mpc.gather(list(outputs.values()))
    return {name: share.value for name, share in zip(outputs, gathered, strict=True)}


def quotients(opened: Mapping[str, Sequence[int]], name: str) -> list[int | None]:
    """The value of each cell, or None where the condition did not hold."""
    return [
        product * pow(mark, -1, P61) % P61 if mark else None
        for mark, product in zip(opened[MARK], opened[name], strict=True)
    ]
