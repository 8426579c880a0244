"""Which system calls a program tried that the sandbox denies, found without any right on the machine.

The kernel's own account of denied calls is for root only, and an engine need not tell it. So the container is
run again with the same filter, in which some of the denied calls end the process (exit code 159, SIGSYS)
instead of failing; a run that ends otherwise than before tried one of them. Halving the list names the call.
The filter is never laxer than that of a visit: what it denies is denied, or deadly.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from importlib import resources

KILL = "SCMP_ACT_KILL_PROCESS"
CALLS = tuple(resources.files("fairnode.engine_docker").joinpath("denied_calls.txt").read_text().split())
"""The calls of 64-bit Linux that no rule of the filter permits. `clone3` is left out: C libraries try it for
each thread, and are sent back to `clone`."""


def deadly(profile: str, calls: Sequence[str]) -> str:
    """The filter (JSON) in which these calls, which it denies, end the process that tries one.

    Calls that the filter permits, under whatever condition, are left as they are.
    """
    told = json.loads(profile)
    permitted = {
        name for rule in told["syscalls"] if rule["action"] == "SCMP_ACT_ALLOW" for name in rule["names"]
    }
    fatal = [name for name in calls if name not in permitted]
    rules = [
        {**rule, "names": [name for name in rule["names"] if name not in fatal]} for rule in told["syscalls"]
    ]
    told["syscalls"] = [rule for rule in rules if rule["names"]]
    if fatal:
        told["syscalls"].append({"names": fatal, "action": KILL})
    return json.dumps(told, separators=(",", ":"))


def find_calls(tries: Callable[[tuple[str, ...]], bool], most_runs: int) -> tuple[tuple[str, ...], bool]:
    """The denied calls that a program tries, and whether all of them could be named in `most_runs` runs.

    `tries` runs the program once and says whether it tried one of the calls it is given.
    """
    search = _Search(tries, most_runs)
    found = search.among(CALLS, sure=False)
    return tuple(sorted(found)), not search.cut_short


class _Search:
    """Halves lists of calls, within a number of runs."""

    def __init__(self, tries: Callable[[tuple[str, ...]], bool], left: int) -> None:
        self._tries, self._left = tries, left
        self.cut_short = False

    def among(self, calls: tuple[str, ...], *, sure: bool) -> list[str]:
        """Those of `calls` that are tried; `sure` says that one is."""
        if not sure:
            if self._left <= 0:
                self.cut_short = True
                return []
            self._left -= 1
            if not self._tries(calls):
                return []
        if len(calls) == 1:
            return list(calls)
        half = len(calls) // 2
        first = self.among(calls[:half], sure=False)
        # where the first half is innocent, the second one is not
        return first + self.among(calls[half:], sure=not first and not self.cut_short)
