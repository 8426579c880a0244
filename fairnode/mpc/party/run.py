"""One run at one party: connect, agree, compute, leave an outcome; or end with a reason that names a party.

The order is the protection: certificates before the first byte, the hello before the first use of an input,
the others' word that they are done before the output share is let out. Whatever ends the run first is told
to the other parties, so that all know the same cause.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import logging
import resource
import time
import traceback
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import IO, Any, TypeVar

from fairnode.errors import FairnodeError
from fairnode.mpc import hello
from fairnode.mpc.dealing import Rows
from fairnode.mpc.dealing.subsets import label
from fairnode.mpc.kernels.exchange import WrongMessage
from fairnode.mpc.openings.outputs import OutputShare, seal_output
from fairnode.mpc.party.job import Job, hello_of, read_inputs
from fairnode.mpc.party.runtime import PartyRuntime
from fairnode.mpc.party.session import PartySession
from fairnode.mpc.party.statistics import RunStatistics
from fairnode.mpc.programs.contract import Shares, engine_versions
from fairnode.mpc.transport.link import DONE, END, HELLO, PING, LinkTerms
from fairnode.mpc.transport.mesh import Mesh, listening
from fairnode.mpc.transport.reason import Reason, RunEnded

LOG = logging.getLogger(__name__)

PING_SECONDS = 0.5
CLOSING_SECONDS = 0.5
SETTLE_SECONDS = 1.0
SILENT_SECONDS = 2.0
"""A party that did not even answer for so long, when time is over, is called stalled."""

Result = TypeVar("Result")


def run_party(job: Job) -> dict[str, Any]:
    """Take part in the run of `job`; its outcome as JSON, `done` or `ended`.

    `{"outcome": "done", "output": sealed share (base64), "agreed": hex, "statistics": {...}}` or
    `{"outcome": "ended", "reason": {"code", "party", "sentence"}, "statistics": {...}}`.
    """
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        task = loop.create_task(_Run(job, loop).outcome())
        while not task.done():
            # MPyC stops the loop when one of its coroutines fails; the exception handler has the reason.
            with contextlib.suppress(RuntimeError):
                loop.run_until_complete(task)
        return task.result()
    finally:
        loop.close()


class _Run:
    """The state of one run: its mesh, the first thing that went wrong, and what to count."""

    def __init__(self, job: Job, loop: asyncio.AbstractEventLoop) -> None:
        self.job = job
        self.me = job.identity.party
        self.loop = loop
        self.failure: asyncio.Future[Reason] = loop.create_future()
        self.mesh: Mesh | None = None
        self.runtime: PartyRuntime | None = None
        self.started = time.monotonic()
        self.reached: dict[str, float] = {}
        self.inputs = ""

    # ---- the whole

    async def outcome(self) -> dict[str, Any]:
        """Run to the end; never raises for anything that peers or inputs can cause."""
        timers = [
            self.loop.call_later(self.job.join_seconds, self._too_late),
            self.loop.call_later(self.job.seconds, self._over_time),
        ]
        try:
            with _transcript(self.job) as transcript:
                return await self._taking_part(transcript)
        except RunEnded as ended:
            await self._tell(ended.reason)
            statistics = self._statistics().to_json()
            return {"outcome": "ended", "reason": ended.reason.to_json(), "statistics": statistics}
        finally:
            for timer in timers:
                timer.cancel()

    async def _taking_part(self, transcript: IO[str] | None) -> dict[str, Any]:
        self.mesh = Mesh(self.job.identity, self.job.places, LinkTerms(self.end, self.job.limits, transcript))
        rows, refusal = self._inputs()
        with listening(self.job.sockets, self.job.identity.run) as inbox:
            await self._unless_ended(self.mesh.connect(inbox), self._settle)
        self._mark("joined")
        if refusal is not None:
            raise RunEnded.because(refusal)
        pings = self.loop.create_task(self._ping())
        try:
            await self._unless_ended(self._agree(hello_of(self.job, rows)))
            self._mark("agreed")
            output = await self._unless_ended(self._compute(rows))
            await self._unless_ended(self._all_done())
            self._mark("computed")
        finally:
            pings.cancel()
        sealed = self._sealed(output)
        await self._close()
        return {
            "outcome": "done",
            "agreed": self.job.agreed,
            "output": base64.b64encode(sealed).decode(),
            "statistics": self._statistics().to_json(),
        }

    async def _unless_ended(
        self, work: Awaitable[Result], before_cancel: Callable[[Reason], Awaitable[None]] | None = None
    ) -> Result:
        """The result of `work`; raises RunEnded as soon as anything ends the run."""
        task = asyncio.ensure_future(work)
        waited: set[asyncio.Future[Any]] = {task, self.failure}
        await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        if self.failure.done():
            if before_cancel is not None:
                await before_cancel(self.failure.result())
            task.cancel()
            await asyncio.wait([task])
            raise RunEnded.because(self.failure.result())
        error = task.exception()
        if error is None or isinstance(error, RunEnded):
            return task.result()
        self._failed(error)
        raise RunEnded.because(self.failure.result()) from error

    async def _settle(self, reason: Reason) -> None:
        assert self.mesh is not None
        await self.mesh.settle(reason.party, SETTLE_SECONDS)

    def end(self, reason: Reason) -> None:
        """The first reason is the one that counts."""
        if not self.failure.done():
            self.failure.set_result(reason)

    # ---- steps

    def _inputs(self) -> tuple[list[Rows], Reason | None]:
        """The rows to compute with, or why this party cannot take part, for the others to be told."""
        if self.job.program.digest != self.job.program_digest:
            sentence = f"Party {self.me} has another version of program '{self.job.program.name}'."
            return [], Reason("other-program", self.me, sentence)
        try:
            return read_inputs(self.job), None
        except FairnodeError as error:
            return [], Reason("input", self.me, f"Party {self.me}: {error.what}")

    async def _agree(self, mine: hello.Hello) -> None:
        """Exchange hellos and compare them; raises RunEnded for the first difference."""
        assert self.mesh is not None
        self.inputs = mine.inputs
        for link in self.mesh.links.values():
            link.send_control(HELLO, mine.encode())
        said: dict[int, hello.Hello | None] = {self.me: mine}
        for number, link in self.mesh.links.items():
            said[number] = hello.parse(await link.control[HELLO])
        reason = hello.difference(self.me, said)
        if reason is not None:
            raise RunEnded.because(reason)

    async def _compute(self, rows: list[Rows]) -> Shares:
        """Keys, then the program; what fails inside it ends the run as a fault of this party."""
        assert self.mesh is not None
        self.runtime = PartyRuntime(self.me, self.mesh.links)
        self.loop.set_exception_handler(self._failed_inside)
        await self.runtime.exchange_keys()
        return await self.job.program.run(PartySession(self.runtime), rows, self.job.parameters)

    async def _all_done(self) -> None:
        """Wait until every other party says that it has its output, too."""
        assert self.mesh is not None
        for link in self.mesh.links.values():
            link.send_control(DONE, b"")
        for link in self.mesh.links.values():
            await link.control[DONE]

    def _sealed(self, output: Shares) -> bytes:
        values: dict[str, tuple[int, ...]] = {}
        rows: dict[str, dict[str, tuple[int, ...]]] = {}
        for name, column in output.items():
            if isinstance(column, Mapping):
                rows[name] = {label(subset): tuple(map(int, row)) for subset, row in column.items()}
            else:
                values[name] = tuple(map(int, column))
        job = self.job
        share = OutputShare(job.study, job.identity.run, job.agreed, self.me, len(job.places), values, rows)
        return seal_output(share, job.recipient)

    # ---- what goes wrong

    def _failed_inside(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """MPyC's coroutines fail inside the event loop; the cause is a peer's message or a fault here."""
        error = context.get("exception")
        if error is not None:
            self._failed(error)

    def _failed(self, error: BaseException) -> None:
        if isinstance(error, RunEnded):
            self.end(error.reason)
        elif isinstance(error, WrongMessage):
            self.end(Reason("garbage", error.peer, error.what))
        else:
            self._fault(error)

    def _fault(self, error: BaseException) -> None:
        frames = traceback.extract_tb(error.__traceback__)
        # The message of an exception can hold values; its class and place cannot.
        places = " < ".join(f"{frame.name}:{frame.lineno}" for frame in reversed(frames[-6:]))
        LOG.error("the program failed: %s at %s", type(error).__name__, places)
        sentence = f"The program failed at party {self.me} ({type(error).__name__})."
        self.end(Reason("fault", self.me, sentence))

    def _too_late(self) -> None:
        missing = self.mesh.missing() if self.mesh else []
        if missing:
            who = " and ".join(f"party {number}" for number in missing)
            self.end(Reason("absent", missing[0], f"{who.capitalize()} did not come in time."))

    def _over_time(self) -> None:
        """Name the party that this one waits for: the one that does not even answer, if there is one."""
        self._too_late()
        links = self.mesh.links.values() if self.mesh else ()
        silent = [link for link in links if self.loop.time() - link.last_heard > SILENT_SECONDS]
        awaited = [link for link in links if link.awaited]
        if silent:
            number = min(silent, key=lambda link: link.last_heard).peer_pid
            self.end(
                Reason("stalled", number, f"Party {number} stopped answering; the time of the run is over.")
            )
        number = min(awaited, key=lambda link: link.last_heard).peer_pid if awaited else self.me
        self.end(Reason("slow", number, f"The time of the run is over, and party {number} is not ready."))

    async def _ping(self) -> None:
        """Show the others that this party lives, so that at the deadline the right one is named."""
        assert self.mesh is not None
        while True:
            for link in self.mesh.links.values():
                link.send_control(PING, b"")
            await asyncio.sleep(PING_SECONDS)

    async def _tell(self, reason: Reason) -> None:
        """Let the others know why, then hang up."""
        if self.mesh is not None:
            for link in self.mesh.links.values():
                link.send_control(END, json.dumps(reason.to_json()).encode())
        await self._close()

    async def _close(self) -> None:
        """Close the links and give the last frames a moment to leave."""
        if self.mesh is not None:
            for link in self.mesh.links.values():
                link.close_connection()
            gone = asyncio.gather(*(link.gone.wait() for link in self.mesh.links.values()))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(gone, CLOSING_SECONDS)

    def _mark(self, step: str) -> None:
        self.reached[step] = time.monotonic()

    def _took(self, step: str, before: str) -> float:
        """Seconds from one step to the next; none if it was not reached."""
        return (
            round(self.reached[step] - self.reached.get(before, self.started), 3)
            if step in self.reached
            else 0.0
        )

    def _statistics(self) -> RunStatistics:
        links = list(self.mesh.links.values()) if self.mesh else []
        used = resource.getrusage(resource.RUSAGE_SELF)
        return RunStatistics(
            party=self.me,
            parties=len(self.job.places),
            engine=engine_versions(),
            program_digest=self.job.program.digest,
            inputs=self.inputs,
            seconds=round(time.monotonic() - self.started, 3),
            joining=self._took("joined", ""),
            agreeing=self._took("agreed", "joined"),
            computing=self._took("computed", "agreed"),
            cpu_seconds=round(used.ru_utime + used.ru_stime, 3),
            bytes_sent=sum(link.nbytes_sent for link in links),
            bytes_received=sum(link.nbytes_received for link in links),
            messages=sum(link.messages_sent for link in links),
            rounds=self.mesh.rounds if self.mesh else 0,
            opened_values=self.runtime.opened_values if self.runtime else 0,
            peak_memory=1024 * used.ru_maxrss,
        )


@contextlib.contextmanager
def _transcript(job: Job) -> Iterator[IO[str] | None]:
    """The file that takes every message received, for synthetic data only."""
    if job.transcript is None:
        yield None
    else:
        with job.transcript.open("w", encoding="ascii") as file:
            yield file
