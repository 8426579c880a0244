"""Child job: answers one SPARQL query over the statements of all records, within limits, without a network.

In: `{"directory", "query", "seconds", "memory_mib", "largest"}` and `"form"`, the media type wanted of a table
or truth value, and `"graph_form"`, that of statements. Out: `{"form", "body"}`.

Limits are the kernel's: CPU time, memory, and a filter that lets this process make no socket at all, so that
a `SERVICE` that got past the check of its words reaches nobody.
"""

from __future__ import annotations

import ctypes
import io
import os
import re
import resource
import struct
from pathlib import Path
from typing import Any

from pyoxigraph import QueryBoolean, QueryResultsFormat, QuerySolutions, QueryTriples, RdfFormat, Store

from fairnode import errors
from fairnode.discovery.place import STATEMENTS, locked
from fairnode.jobs.process import main

TABLES = {
    "application/sparql-results+json": QueryResultsFormat.JSON,
    "application/sparql-results+xml": QueryResultsFormat.XML,
    "text/csv": QueryResultsFormat.CSV,
    "text/tab-separated-values": QueryResultsFormat.TSV,
}
GRAPHS = {
    "text/turtle": RdfFormat.TURTLE,
    "application/n-triples": RdfFormat.N_TRIPLES,
    "application/ld+json": RdfFormat.JSON_LD,
    "application/rdf+xml": RdfFormat.RDF_XML,
}
_FROM = re.compile(r"(?<![\w:?$])from\s*(?:named\s*)?(?:<|[\w.-]*:)", re.IGNORECASE)
_SOCKET = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}  # audit architecture, system call


class _Bounded(io.BytesIO):
    """A buffer that refuses to grow beyond `largest` bytes."""

    def __init__(self, largest: int) -> None:
        super().__init__()
        self._largest = largest

    def write(self, part: Any, /) -> int:
        """Take a part in."""
        if self.tell() + len(part) > self._largest:
            raise errors.NotValid(
                f"The answer is larger than {self._largest // 1024} KiB.", to_do="Ask for less, with LIMIT."
            )
        return super().write(part)


def run(job: dict[str, Any]) -> dict[str, Any]:
    """Answer the query. Raises `NotValid` for one that is not SPARQL, or whose answer is too large."""
    folder = Path(job["directory"]) / "index"
    with locked(folder, write=False):
        place = folder / STATEMENTS
        store = Store.read_only(str(place)) if place.exists() else Store()
        try:
            found = store.query(job["query"], use_default_graph_as_union=not _FROM.search(job["query"]))
            form, body = _written(found, job)
        except SyntaxError as error:
            raise errors.NotValid(
                "This is not a SPARQL 1.1 query.",
                findings=(errors.Finding("query", str(error)[:300]),),
                to_do="Queries are SELECT, ASK, CONSTRUCT and DESCRIBE; nothing can be written.",
            ) from error
        except (OSError, ValueError) as error:
            raise errors.NotValid("The query cannot be answered.", internal=str(error)) from error
    return {"form": form, "body": body.decode("utf-8", "replace")}


def _written(found: QuerySolutions | QueryBoolean | QueryTriples, job: dict[str, Any]) -> tuple[str, bytes]:
    """The answer in the form wanted."""
    target = _Bounded(int(job["largest"]))
    if isinstance(found, QueryTriples):
        found.serialize(target, GRAPHS[job["graph_form"]])
        return job["graph_form"], target.getvalue()
    form = job["form"]
    if isinstance(found, QueryBoolean) and not form.startswith("application/"):
        form = "application/sparql-results+json"  # CSV and TSV have no way to say yes or no
    found.serialize(target, TABLES[form])
    return form, target.getvalue()


def no_network() -> None:
    """Let this process make no socket any more (seccomp, Linux on x86-64 and ARM64)."""
    if os.uname().machine not in _SOCKET:
        return
    architecture, call = _SOCKET[os.uname().machine]
    steps = (
        (0x20, 0, 0, 4),  # load the architecture
        (0x15, 0, 2, architecture),  # another one: to the refusal
        (0x20, 0, 0, 0),  # load the number of the system call
        (0x15, 0, 1, call),  # not socket: to the permission
        (0x06, 0, 0, 0x00050001),  # refuse with EPERM
        (0x06, 0, 0, 0x7FFF0000),  # permit
    )
    program = b"".join(struct.pack("HBBI", *step) for step in steps)
    kept = ctypes.create_string_buffer(program, len(program))
    header = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(steps), ctypes.addressof(kept)))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, header, 0, 0):  # no new privileges; filter
        raise errors.Unavailable("Queries cannot be kept from the network on this machine.")


def limit(job: dict[str, Any]) -> None:
    """Bound CPU seconds and memory."""
    seconds, memory = int(job["seconds"]) + 1, int(job["memory_mib"]) * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def answer(job: dict[str, Any]) -> dict[str, Any]:
    """Bound this process, then answer."""
    limit(job)
    no_network()
    return run(job)


if __name__ == "__main__":
    main(answer)
