"""Child job: walks through a FAIR Data Point of strangers and brings its documents home as they came.

In: `{"url", "prefixes", "private", "limits", "copies"}`, the last the file of what was fetched before. Out:
`{"documents": [{"iri", "content" (base64), "part"}], "refused": [[address, reason]], "complete", "fetched",
"unchanged"}`. What a stranger sends is read only here, with little memory;
the parent ends the process when it takes too long.
"""

from __future__ import annotations

import base64
import resource
from pathlib import Path
from typing import Any

from fairnode.discovery.walk import walk
from fairnode.jobs.process import main
from fairnode.peers.harvester import Fetcher, Limits
from fairnode.store.fetched import Fetched

MEMORY = 2 * 1024**3


def run(job: dict[str, Any]) -> dict[str, Any]:
    """Walk. Raises what `walk` and the root's `fetch` raise."""
    limits, copies = Limits(**job["limits"]), Fetched(Path(job["copies"]))
    with Fetcher(job["url"], job["private"], limits, copies) as fetcher:
        found = walk(fetcher.fetch, job["url"], tuple(job["prefixes"]), limits.depth)
        if found.complete:
            fetcher.forget_others()
    return {
        "fetched": len(fetcher.asked),
        "unchanged": fetcher.unchanged,
        "documents": [
            {"iri": iri, "content": base64.b64encode(content).decode(), "part": part}
            for iri, content, part in found.documents
        ],
        "refused": found.refused,
        "complete": found.complete,
    }


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    main(run)
