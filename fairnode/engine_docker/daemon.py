"""Calls to the Docker daemon, so worded that an answer is an answer and all else is "it does not answer".

Exceptions of the client library say little: a time-out and a lost daemon look alike, and "conflict" may mean
that all is well. So a call that may fail is followed by an inspection, and the inspection decides.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

import requests
from docker.errors import DockerException
from docker.errors import NotFound as NoSuchThing
from docker.utils import kwargs_from_env

from docker import APIClient
from fairnode import errors
from fairnode.engine import Consumption, ContainerState, EngineReport, Phase

_FAILURES = (DockerException, requests.RequestException, OSError)
# The client's published types are incomplete, so its calls are not checked.
Call = Callable[[Any], Any]
_PHASES = {"created": Phase.CREATED, "exited": Phase.EXITED, "dead": Phase.EXITED}
_NO_PROGRAM = (126, 127)  # the codes of a shell for a command that cannot be run, or is not there
NEVER = "0001-01-01"


class Daemon:
    """A connection to one Docker daemon. `address` such as "unix:///run/docker.sock"; "" asks DOCKER_HOST.

    Threads may share it: each has a client of its own underneath, so that one whose connection broke does
    not take those of the others along.
    """

    def __init__(self, address: str = "", timeout: int = 60) -> None:
        self._address = address
        self._timeout = timeout
        self._own = threading.local()
        self._all: list[APIClient] = []

    @property
    def _api(self) -> APIClient:
        client: APIClient | None = getattr(self._own, "client", None)
        if client is None:
            environment = {"base_url": self._address} if self._address else kwargs_from_env()
            _knock(environment.get("base_url", "unix:///var/run/docker.sock"))
            client = self._own.client = APIClient(**environment, timeout=self._timeout)
            self._all.append(client)
        return client

    def patient(self) -> Daemon:
        """Another connection, for what may rightly take long: images that are loaded, saved or built."""
        return Daemon(self._address, timeout=3600)

    def close(self) -> None:
        """Let go of the connections of all threads."""
        while self._all:
            self._all.pop().close()
        self._own = threading.local()

    def _hang_up(self) -> None:
        """Let go of this thread's connection; the next call makes another."""
        client: APIClient | None = getattr(self._own, "client", None)
        if client is not None:
            self._own.client = None
            self._all.remove(client)
            client.close()

    def ask(self, call: Call) -> Any:
        """The answer of a call. Raises `errors.NotFound` where the daemon says 404, else `Unavailable`."""
        try:
            return call(self._api)
        except NoSuchThing as error:
            raise errors.NotFound("The engine knows no such thing.", internal=str(error)) from error
        except _FAILURES as error:
            self._hang_up()
            raise unavailable(error) from error

    def attempt(self, call: Call) -> Exception | None:
        """Do a call whose outcome a look afterwards decides; what was raised, for the operator's log."""
        try:
            call(self._api)
        except _FAILURES as error:
            return error
        return None

    def inspect(self, name: str) -> dict[str, Any] | None:
        """All about a container, or None when there is none."""
        try:
            return dict(self.ask(lambda api: api.inspect_container(name)))
        except errors.NotFound:
            return None

    def used(self, name: str) -> Consumption | None:
        """Processor time and memory of a running container, as its control group counts them."""
        try:
            told = self.ask(lambda api: api.stats(name, stream=False, one_shot=True))
        except (errors.NotFound, errors.Unavailable):
            return None  # a container that ends at this very moment
        memory = told.get("memory_stats") or {}
        if not memory.get("usage"):
            return None  # it ended, and its control group is gone
        cpu = ((told.get("cpu_stats") or {}).get("cpu_usage") or {}).get("total_usage", 0)
        return Consumption(cpu / 1e9, int(memory.get("max_usage") or memory["usage"]))

    def image(self, image_id: str) -> dict[str, Any]:
        """All about an image. Raises `errors.NotFound`."""
        try:
            return dict(self.ask(lambda api: api.inspect_image(image_id)))
        except errors.NotFound as error:
            raise errors.NotFound(
                "The image of the algorithm is not on this engine.",
                to_do="Load it again with `fairnode algorithm submit`.",
                internal=error.internal,
            ) from error

    def load(self, archive: Iterator[bytes]) -> str:
        """Hand an image archive to the daemon; what it complained of, if anything.

        That it did not complain says nothing reliable: inspect afterwards.
        """
        told: list[Mapping[str, Any]] = []
        failure = self.attempt(lambda api: told.extend(api.load_image(archive)))
        if isinstance(failure, requests.RequestException):
            raise unavailable(failure) from failure
        return str(failure or "") or "; ".join(str(line["error"]) for line in told if "error" in line)

    def report(self) -> EngineReport:
        """Versions and settings."""
        version = self.ask(lambda api: api.version())
        info = self.ask(lambda api: api.info())
        parts = {part["Name"]: part for part in version.get("Components", ())}
        return EngineReport(
            engine="Docker",
            engine_version=str(version.get("Version", "")),
            runc_version=str(parts.get("runc", {}).get("Version", "")),
            containerd_version=str(parts.get("containerd", {}).get("Version", "")),
            kernel_version=str(info.get("KernelVersion", "")),
            system=str(info.get("OperatingSystem", "")),
            architecture=str(version.get("Arch", "")),
            cgroup_version=str(info.get("CgroupVersion", "1")),
            storage=str(info.get("Driver", "")),
            runtimes=tuple(sorted(info.get("Runtimes") or ())),
            security=tuple(info.get("SecurityOptions") or ()),
        )


def _knock(address: str) -> None:
    """Raise OSError where nobody listens on a local address: the client library would leak a socket on it."""
    scheme, _, path = address.partition("://")
    if scheme in ("unix", "http+unix"):
        with socket.socket(socket.AF_UNIX) as door:
            door.settimeout(10)
            door.connect("/" + path.lstrip("/"))


def unavailable(cause: Exception | None) -> errors.Unavailable:
    """The error for an engine that does not answer, or does not do what it is told."""
    return errors.Unavailable(
        "The container engine does not answer.",
        to_do="The node's operator checks that Docker runs; waiting visits go on by themselves then.",
        internal=repr(cause),
    )


def state_of(found: Mapping[str, Any] | None) -> ContainerState:
    """The state in an inspection."""
    if found is None:
        return ContainerState(Phase.ABSENT)
    state = found["State"]
    phase = _PHASES.get(state["Status"], Phase.RUNNING)
    if phase is Phase.CREATED and state["ExitCode"] in _NO_PROGRAM:
        phase = Phase.EXITED  # it was started, and there was nothing to start
    ended = phase is Phase.EXITED
    return ContainerState(
        phase=phase,
        exit_code=int(state["ExitCode"]) if ended else None,
        oom_killed=bool(state["OOMKilled"]),
        started=_time(state["StartedAt"]),
        finished=_time(state["FinishedAt"]) if ended else None,
    )


def _time(text: str) -> datetime | None:
    return None if text.startswith(NEVER) else datetime.fromisoformat(text)
