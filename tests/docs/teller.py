"""Runs commands of fairnode one after the other, each in a fork of this process, which has loaded them all.

Loading takes longer than most commands; a fork runs one as a process of its own. A line of JSON comes in for
each (`[folder, environment, words]`) and one goes out (`[exit code, what it said, what it complained of]`).
What is asked is answered with yes.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import tempfile
import traceback
from typing import IO

from fairnode.cli.main import COMMANDS, main


def tell(folder: str, environment: dict[str, str], words: list[str]) -> list[object]:
    """Run one command to its end."""
    with tempfile.TemporaryFile("w+") as asked, tempfile.TemporaryFile("w+") as said, \
            tempfile.TemporaryFile("w+") as complained:  # fmt: skip
        asked.write("y\n" * 3)
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
        for number, file in enumerate(files):
            os.dup2(file.fileno(), number)
        os.chdir(folder)
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
