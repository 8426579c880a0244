"""Another system under the same attacks: started by a command of its operator's, judged from inside.

Every attack that judges itself is one start of the command. Where an attack ends the container, or nothing is
heard, the line says so: silence is no proof that it held.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from fairnode.engine_docker.probe import PROGRAM, QUIET, pack
from tests.hostile.case import Outcome, Verdict

SECONDS = 120
NEED_FILES = frozenset({"data", "output", "output-size"})
ATTACKS, NAME, FOLDER = "{attacks}", "{name}", "{folder}"


def attack_with(command: str) -> int:
    """Run the command once for each attack and print a line each; 1 if anything got out.

    In `command`, {attacks} is the file with the attacks, {name} the attack to run, and {folder} a folder to be
    shown as /fairnode, with records to read and one file to write; without it, the attacks on those are left out.
    Raises `ValueError` for a command that names no attacks.
    """
    if ATTACKS not in command or NAME not in command:
        raise ValueError(f"the command must hold {ATTACKS} and {NAME}, as in tests/hostile/README.md")
    with tempfile.TemporaryDirectory(prefix="hostile-against-") as folder:
        program = pack(Path(folder, PROGRAM))
        names = [name for name in QUIET if FOLDER in command or name not in NEED_FILES]
        outcomes = [_told(name, _once(command, program, name)) for name in names]
    escaped = sum(outcome.verdict is Verdict.ESCAPED for outcome in outcomes)
    sys.stdout.write(f"\n{len(outcomes)} attacks: {len(outcomes) - escaped} contained, {escaped} ESCAPED\n")
    return int(escaped > 0)


def _told(name: str, outcome: Outcome) -> Outcome:
    sys.stdout.write(f"{name:<18} {outcome.verdict:<9}  {outcome.figure}\n")
    sys.stdout.flush()
    return outcome


def _once(command: str, program: Path, name: str) -> Outcome:
    place = program.parent / "fairnode"
    _lay_out(place)
    told = {ATTACKS: str(program), NAME: name, FOLDER: str(place)}
    words = [_filled(word, told) for word in shlex.split(command)]
    try:
        done = subprocess.run(words, capture_output=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return Outcome(Verdict.ESCAPED, f"did not end within {SECONDS} seconds, and nobody ended it")
    found = [*_lines(done.stdout), *_result(place / "out/result")]
    if not found:
        last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
        return Outcome(Verdict.ESCAPED, f"nothing was heard, code {done.returncode}: {' '.join(last)[:120]}")
    held = all(one.get("held") is True for one in found)
    return Outcome(Verdict.CONTAINED if held else Verdict.ESCAPED, "; ".join(str(o["figure"]) for o in found))


def _filled(word: str, told: dict[str, str]) -> str:
    for key, value in told.items():
        word = word.replace(key, value)
    return word


def _lay_out(place: Path) -> None:
    """A folder as a visit finds it, with nothing in it that could be missed."""
    for folder in ("in", "out"):
        (place / folder).mkdir(parents=True, exist_ok=True)
    (place / "run.json").write_text('{"parameters": {}}')
    (place / "in/records.parquet").write_bytes(b"PAR1 not really")
    (place / "out/result").write_bytes(b"")
    (place / "out/result").chmod(0o666)


def _lines(printed: bytes) -> list[dict[str, object]]:
    """The answers among the lines of standard output."""
    found = []
    for line in printed.decode("utf-8", "replace").splitlines():
        try:
            told = json.loads(line)
        except ValueError:
            continue
        if isinstance(told, dict) and {"name", "held", "figure"} <= told.keys():
            found.append(told)
    return found


def _result(path: Path) -> list[dict[str, object]]:
    """The answers in the file that a container may write."""
    if path.is_symlink() or not path.is_file() or path.stat().st_size > 1 << 20:
        return []
    try:
        told = json.loads(path.read_bytes())
    except ValueError:
        return []
    return list(told.get("attacks", ())) if isinstance(told, dict) else []
