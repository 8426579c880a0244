"""A compute party that runs a program of the tests (first argument) instead of one of the registry."""

import sys
from dataclasses import replace

import numpy as np
from mpyc.runtime import Runtime

from fairnode.jobs import mpc_party
from fairnode.jobs.process import main
from fairnode.mpc.party import job
from fairnode.mpc.programs import program

kind = sys.argv.pop(1)


async def zero_test(session, inputs, parameters):
    """Shares of the tested values, and of what is opened of them."""
    mpc, opened = session.runtime, []
    secret = session.enter(inputs[0])
    a = await mpc.gather(secret)
    below = Runtime.output

    def recorded(self, x, **more):
        opened.append(x)
        return below(self, x, **more)

    Runtime.output = recorded
    zeros = await mpc.np_is_zero_public(secret)
    return {"a": a.value, "opened": opened[-1].value, "zero": [int(zero) for zero in zeros]}


async def operations(session, inputs, parameters):
    """Results, opened to all, of operations of MPyC that other programs need."""
    mpc = session.runtime
    secint, secfxp, secfld = mpc.SecInt(32), mpc.SecFxp(64, 32), session.field
    mine = [[5, -7, 10**6], [5, 8, -(10**6)], [0, 0, 2]][session.me]
    x, y, z = mpc.input(secint.array(np.array(mine, dtype=object)))
    less = await mpc.output(mpc.np_less(x, y))
    equal = await mpc.output(x == y)
    product = await mpc.output(x * y + z)
    one, two = mpc.input(secfxp(1.5), senders=[0])[0], mpc.input(secfxp(8), senders=[1])[0]
    quotient = await mpc.output(two / one)
    zero = await mpc.is_zero_public(secint(0)), await mpc.is_zero_public(secint(3))
    bits = await mpc.output(mpc.to_bits(secint(11), 5))
    return {
        "less": [int(v) for v in less],
        "equal": [int(v) for v in equal],
        "product": [int(v) % (2**61 - 1) for v in product],
        "quotient": [round(float(quotient) * 100)],
        "zero": [int(v) for v in zero],
        "inverse": [int(v.value) for v in await mpc.output([1 / secfld(2), secfld(3) / secfld(5)])],
        "bits": [int(v) for v in bits],
    }


job.program = lambda name: replace(
    program(name), run={"zero-test": zero_test, "operations": operations}[kind]
)
main(mpc_party.run)
