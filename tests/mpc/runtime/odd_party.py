"""A compute party that goes wrong in the way that its first argument says, once its keys are exchanged."""

import os
import signal
import sys

from fairnode.jobs import mpc_party
from fairnode.jobs.process import main
from fairnode.mpc.party import codec, run, runtime
from fairnode.mpc.transport import link

kind = sys.argv.pop(1)
exchange_keys = runtime.PartyRuntime.exchange_keys
dumps = codec.Codec.dumps


def raw(links, data):
    for each in links.values():
        each._transport.write(data)


async def refuse(self):
    raise RuntimeError("secret 424242")


async def go_wrong(self):
    await exchange_keys(self)
    match kind:
        case "dies" | "stalls":
            os.kill(os.getpid(), signal.SIGKILL if kind == "dies" else signal.SIGSTOP)
        case "garbage":
            raw(self.links, os.urandom(64).replace(b"D", b"x").replace(b"P", b"x").replace(b"E", b"x"))
        case "oversized":
            raw(self.links, link.HEADER.pack(b"D", 7, 2**31) + b"0" * 1000)
        case "hoards":
            for counter in range(10):
                raw(self.links, link.HEADER.pack(b"D", counter << 40, 60 << 10) + bytes(60 << 10))
        case "malformed":
            codec.Codec.dumps = lambda *_: codec.HEADER.pack(8, 10**6) + b"12345678"
        case "pickles":
            codec.Codec.dumps = lambda *_: b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x02id\x85R."
        case "short":
            codec.Codec.dumps = lambda self, values: dumps(self, values[:-1])
        case "raises":
            await self.refuse()


runtime.PartyRuntime.exchange_keys = go_wrong
runtime.PartyRuntime.refuse = refuse
if kind == "dies-at-hello":

    async def die(self, mine):
        os._exit(1)

    run._Run._agree = die
if kind == "lies-in-hello":
    honest = run.hello_of
    run.hello_of = lambda job, rows: (
        link and __import__("dataclasses").replace(honest(job, rows), inputs="00")
    )

main(mpc_party.run)
