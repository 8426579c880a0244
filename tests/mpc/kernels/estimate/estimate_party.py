"""One compute party of test_between_processes: overlap, then estimates, in the kernels and in plain MPyC."""

import json
import sys
from pathlib import Path

import numpy as np
from mpyc.runtime import mpc

from fairnode.mpc.dealing import Ring, Rows
from fairnode.mpc.estimate import decomposable_mpyc, program
from fairnode.mpc.estimate.models import registered
from fairnode.mpc.kernels.exchange import held_by
from fairnode.mpc.overlap import program_mpyc, program_synthetic
from fairnode.mpc.party.session import PartySession
from fairnode.mpc.programs.overlap_cells import OVERLAP_CELLS


async def main(job):
    await mpc.start()
    held = held_by(mpc.pid, len(mpc.parties), mpc.threshold)

    def dealt(name):
        files = {row: Path(job["folder"]) / f"{name}-{'-'.join(map(str, row))}" for row in held}
        return {row: np.fromfile(file, "<u8") for row, file in files.items()}

    lists = [dealt(f"list{i}") for i in range(job["overlap"]["lists"])]
    estimated = await program.run(mpc, lists, {**job["overlap"], **job["estimate"]})
    inputs = [Rows(str(i), Ring.XOR, rows, len(rows[held[0]]), "") for i, rows in enumerate(lists)]
    told = {**job["overlap"], "least": 11, "base": 5}
    cells = await OVERLAP_CELLS.run(PartySession(mpc), inputs, told)
    whole = await program_synthetic.run(mpc, lists, {**job["overlap"], "synthetic": True})
    models = registered({"lists": job["overlap"]["lists"], "models": job["estimate"]["models"][1:2]})
    kind = decomposable_mpyc.secure_kind(mpc, models, job["overlap"]["bound"])
    secret = mpc.input(kind.array(np.array(whole.opened["cells"], object)), senders=0)
    bound = job["overlap"]["bound"]
    plain = (
        await decomposable_mpyc.estimate(mpc, secret, models, bound, with_errors=job["errors_in_mpyc"])
        if job["plain"]
        else []
    )
    small = [dealt(f"small{i}") for i in range(3)]
    oracle_cells = (await program_mpyc.run(mpc, small, job["tiny"])).opened["cells"] if job["plain"] else []
    await mpc.shutdown()
    answer = {
        "estimated": estimated.opened,
        "cells": [[list(row), words.tolist()] for row, words in cells["cells"].items()],
        "whole": whole.opened["cells"],
        "small": oracle_cells,
        "plain": [[e.hidden, e.standard_error] for e in plain],
    }
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    mpc.run(main(json.load(sys.stdin)))
