"""Runs commands of fairnode, each in a fork of a process that has loaded them all.

Loading takes longer than most commands; a fork runs one as a process of its own, with its own environment,
folder, input and output. A line of JSON comes in for each (`[folder, environment, words, input]`) and one goes
out (`[exit code, what it said, what it complained of]`).
"""

from __future__ import annotations

import atexit
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from fairnode.cli.main import COMMANDS, main

SECONDS = 360  # after which a command is ended
IDLE: list[subprocess.Popen[str]] = []


def run_command(
    *words: str, env: Mapping[str, str], cwd: Path, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run `fairnode WORDS` to its end; threads may do so at the same time."""
    teller = IDLE.pop() if IDLE else _new_teller()
    assert teller.stdin is not None
    assert teller.stdout is not None
    teller.stdin.write(json.dumps([str(cwd), dict(env), words, stdin]) + "\n")
    teller.stdin.flush()
    done = json.loads(teller.stdout.readline())
    IDLE.append(teller)
    return subprocess.CompletedProcess(["fairnode", *words], *done)


def _new_teller() -> subprocess.Popen[str]:
    """One more; it ends when its standard input does, at the latest with this process."""
    teller = subprocess.Popen(
        [sys.executable, "-m", "tests.teller"],
        cwd=Path(__file__).parents[1],
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # a process that forks has one thread
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    atexit.register(teller.communicate)
    return teller


def tell(folder: str, environment: dict[str, str], words: list[str], stdin: str) -> list[object]:
    """Run one command to its end."""
    with tempfile.TemporaryFile("w+") as asked, tempfile.TemporaryFile("w+") as said, \
            tempfile.TemporaryFile("w+") as complained:  # fmt: skip
        asked.write(stdin)
        asked.seek(0)
        child = os.fork()
        if not child:
            become(folder, environment, words, (asked, said, complained))
        _, status = os.waitpid(child, 0)
        texts = []
        for file in (said, complained):
            file.seek(0)
            texts.append(file.read())
    return [os.waitstatus_to_exitcode(status), *texts]


def become(folder: str, environment: dict[str, str], words: list[str], files: tuple[IO[str], ...]) -> None:
    """Be the command, from here to the end of the process."""
    code = 1
    try:
        signal.alarm(SECONDS)
        for number, file in enumerate(files):
            os.dup2(file.fileno(), number)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        sys.argv = ["fairnode", *words]
        main()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        if sys.exc_info()[0] is not None:
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    for module, _ in COMMANDS.values():
        importlib.import_module(f"fairnode.cli.{module}")
    for line in sys.stdin:
        sys.stdout.write(json.dumps(tell(*json.loads(line))) + "\n")
        sys.stdout.flush()
