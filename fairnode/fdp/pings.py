"""Taking pings: a FAIR Data Point tells that it is there, as the index of the reference implementation does.

Only where the operator named whose pings are welcome. A ping makes this node fetch nothing: the address is
noted, and harvested when the operator's timer next runs `fairnode harvest run --due`.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque

from flask import Response, request

from fairnode import errors
from fairnode.discovery.sources import take_ping
from fairnode.door.asking import json_body
from fairnode.fdp.represent import FdpDoor

MOST, SECONDS = 10, 6 * 3600
_REMEMBERED = 10_000
_LONGEST = 1_000


class TooManyPings(errors.FairnodeError):
    """One address told too often; `wait` says in how many seconds to try again."""

    code = "too-many-pings"
    title = "Too many pings"
    http_status = 429

    def __init__(self, wait: int) -> None:
        super().__init__(f"There were {MOST} pings from this address in six hours.")
        self.wait = wait


class Pings:
    """How often each address told; in the memory of the web process, and bounded."""

    def __init__(self) -> None:
        self._times: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def count(self, address: str, now: float) -> None:
        """Count a ping. Raises `TooManyPings`."""
        with self._lock:
            times = self._times.pop(address, deque())
            while times and times[0] <= now - SECONDS:
                times.popleft()
            self._times[address] = times
            while len(self._times) > _REMEMBERED:
                self._times.popitem(last=False)
            if len(times) >= MOST:
                raise TooManyPings(int(times[0] + SECONDS - now) + 1)
            times.append(now)


def take(door: FdpDoor, pings: Pings) -> Response:
    """POST / with `{"clientUrl": "https://..."}`: 204, or 400, 403, 415, 429."""
    pings.count(request.remote_addr or "?", time.monotonic())
    told = json_body()
    url = told.get("clientUrl") if isinstance(told, dict) else None
    if not isinstance(url, str) or not url.startswith(("http://", "https://")) or len(url) > _LONGEST:
        raise errors.FairnodeError("A ping is an object with 'clientUrl', an http(s) address.")
    take_ping(door.node, url)
    return Response(status=204)
