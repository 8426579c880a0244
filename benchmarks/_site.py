"""A real node for the benchmarks: the police's example, `counts`, web and worker as processes."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from examples.netherlands import expand
from fairnode.demo.make import build_image
from tests.factories import ROOT, Site, copy_site, make_template


@contextmanager
def measured_site() -> Iterator[Site]:
    """A new node in a folder of its own, ended and removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="fairnode-bench-") as place:
        folder = Path(place)
        expand(folder / "netherlands")
        build_image(ROOT / "algorithms/counts", folder / "counts")
        template = make_template(folder / "template", folder / "netherlands", folder / "counts")
        site = copy_site(template, folder / "police")
        try:
            yield site
        finally:
            site.close()
