"""A compute party that goes wrong in the way that its first argument says, once its keys are exchanged."""

import asyncio
import os
import signal
import struct
import sys

from fairnode.jobs import mpc_party
from fairnode.jobs.process import main
from fairnode.mpc.kernels import over_mpyc
from fairnode.mpc.party import codec, run, runtime
from fairnode.mpc.transport import link, preamble

kind = sys.argv.pop(1)
exchange_keys = runtime.PartyRuntime.exchange_keys
dumps = codec.Codec.dumps


RAW = {
    "garbage": [b"x" * 64],
    "oversized": [link.HEADER.pack(b"D", 7, 2**31) + b"0" * 1000],
    "hoards": [link.HEADER.pack(b"D", i << 40, 60 << 10) + bytes(60 << 10) for i in range(10)],
}
ARRAYS = {
    "malformed": lambda *_: codec.HEADER.pack(8, 10**6) + b"12345678",
    "pickles": lambda *_: b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x02id\x85R.",
    "short": lambda self, values: dumps(self, values[:-1]),
}


honest_exchange = over_mpyc.MpycExchange.exchange


async def cut_words(self, out, senders):
    """Every message of the kernels is one word short, once the keys are there."""
    short = {peer: payload[:-8] if len(payload) > 16 else payload for peer, payload in out.items()}
    return await honest_exchange(self, short, senders)


async def refuse(self):
    raise RuntimeError("secret 424242")


async def go_wrong(self):
    await exchange_keys(self)
    for data in RAW.get(kind, []):
        for each in self.links.values():
            each._transport.write(data)
    if kind == "cuts-words":
        over_mpyc.MpycExchange.exchange = cut_words
    if kind == "lies-about-lengths":
        over_mpyc._LENGTH = struct.Struct(">Q")
    codec.Codec.dumps = ARRAYS.get(kind, dumps)
    match kind:
        case "dies":
            os.kill(os.getpid(), signal.SIGKILL)
        case "stalls":
            os.kill(os.getpid(), signal.SIGSTOP)
        case "waits":
            await asyncio.sleep(60)
        case "raises":
            await self.refuse()


runtime.PartyRuntime.exchange_keys = go_wrong
runtime.PartyRuntime.refuse = refuse
if kind == "dies-at-hello":

    async def die(self, mine):
        os._exit(1)

    run._Run._agree = die
if kind == "speaks-another-version":
    preamble.PROTOCOL = 2
if kind == "lies-in-hello":
    honest = run.hello_of
    run.hello_of = lambda job, rows: (
        link and __import__("dataclasses").replace(honest(job, rows), inputs="00")
    )

main(mpc_party.run)
