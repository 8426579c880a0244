"""One compute party of test_against_mpyc: each gadget in the kernel and as MPyC's expression, both opened."""

import json
import sys

import numpy as np
from mpyc.runtime import mpc

from fairnode.mpc.kernels import numbers as n
from fairnode.mpc.kernels.bits import BitKernel
from fairnode.mpc.kernels.count import count_bits
from fairnode.mpc.kernels.linear import open_sum
from fairnode.mpc.kernels.opening import OpeningRule, judge
from fairnode.mpc.kernels.over_mpyc import connect
from fairnode.mpc.kernels.rounding import round_to_base
from fairnode.mpc.kernels.sharing import to_planes
from fairnode.mpc.kernels.to_mpyc import to_secret_numbers

BITS = 8


async def main(job):
    secint = mpc.SecInt(32)
    values = [np.array(v, np.uint64) for v in job["values"]]
    count = len(values[0])
    await mpc.start()
    exchange = await connect(mpc)
    kernel = BitKernel(exchange)
    shared, secret = [], []
    for dealer, v in enumerate(values):
        planes = to_planes(v, BITS)
        x = await kernel.share(planes.reshape(-1) if mpc.pid == dealer else None, dealer, planes.size)
        x = x.reshape(len(kernel.held), BITS, -1)
        shared.append([x[:, i] for i in range(BITS)])
        secret.append(mpc.input(secint.array(v.astype(object)), senders=dealer))
    a, b, c = shared
    p, q, r = secret
    bound = job["bound"]
    opened = {}

    async def both(name, planes, expression):
        converted = to_secret_numbers(mpc, kernel, planes, count, secint)
        opened[name] = [[int(v) for v in await mpc.output(s)] for s in (converted, expression)]

    await both("input", a, p)
    await both("add", await n.add(kernel, a, b), p + q)
    await both("add_ripple", await n.add_ripple(kernel, a, b), p + q)
    await both("sum", await n.sum_numbers(kernel, shared, 10), p + q + r)
    await both("at_least", [await n.at_least(kernel, a, bound)], 1 - mpc.np_less(p, bound))
    empty = await n.is_zero(kernel, c)
    e = mpc.np_equal(r, 0)
    await both("is_zero", [empty], e)
    await both("keep", await n.keep(kernel, empty, b), e * q)
    rounded = await round_to_base(kernel, a, 5)
    classes = sum(mpc.np_less(5 * k + 2, p) * 5 for k in range(256 // 5 + 1))
    await both("round", rounded, classes)
    result = await judge(kernel, shared, [], OpeningRule(least=bound, base=1))
    total = p + q + r
    verdict = 1 - mpc.np_less(total, bound)
    for x in secret:
        rest = total - x
        verdict = verdict * (1 - (1 - mpc.np_equal(rest, 0)) * mpc.np_less(rest, bound))
    await both("judge", result.total, verdict * total)
    counted = await count_bits(kernel, [a[0], b[0], c[0]])
    lanes = to_secret_numbers(mpc, kernel, counted, 3, secint)
    opened["count"] = [
        [int(v) for v in await mpc.output(lanes)],
        [int(sum(v & np.uint64(1))) for v in values],
    ]

    mine = np.array(job["values"][mpc.pid % 3], np.uint64)
    total = sum(mpc.input(secint.array(mine.astype(object))))
    expected = [int(v) for v in await mpc.output(total)]
    opened["open_sum"] = [(await open_sum(exchange, mine)).tolist(), expected]
    await mpc.shutdown()
    sys.stdout.write(
        json.dumps({"opened": opened, "rounds": exchange.traffic.rounds, "sent": exchange.traffic.sent})
    )


if __name__ == "__main__":
    mpc.run(main(json.load(sys.stdin)))
