"""A compute party that goes wrong as its first argument says, and prints when it does (monotonic clock)."""

from __future__ import annotations

import os
import signal
import sys
import time

from fairnode.jobs import mpc_party
from fairnode.jobs.process import main
from fairnode.mpc.party.runtime import PartyRuntime
from fairnode.mpc.transport import preamble

how = sys.argv.pop(1)
honest = PartyRuntime.exchange_keys


def tell() -> None:
    """Now it happens."""
    print("wrong at", time.monotonic(), flush=True)


async def go_wrong(self: PartyRuntime) -> None:
    """In the middle of a run, once the keys are exchanged."""
    await honest(self)
    tell()
    if how == "garbage":
        for link in self.links.values():
            link._transport.write(b"x" * 64)
    else:
        os.kill(os.getpid(), {"dies": signal.SIGKILL, "stalls": signal.SIGSTOP}[how])


if how == "version":
    preamble.PROTOCOL += 1
    tell()
else:
    PartyRuntime.exchange_keys = go_wrong
main(mpc_party.run)
