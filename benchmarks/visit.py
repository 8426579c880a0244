"""What the node adds to a visit: approved to quarantined, against a bare `docker run` of the same container.

Both count the same view with the same image and the same run.json. Ours also checks the approval twice, makes
the view from the source, starts the container shut in, and takes the result out into the database. A run
begins when nothing of the one before it is left to do.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks._site import measured_site
from fairnode import approvals
from fairnode.algorithms.known import image_name
from fairnode.node import Node
from fairnode.people.signing import signer_with_token
from fairnode.people.tokens import who_token
from fairnode.records.rows import Algorithm, Visit
from fairnode.records.states import VisitState
from fairnode.studies.send import draft, send
from fairnode.visits.context import read_context
from fairnode.visits.steps import run_json
from fairnode.visits.view import make_view
from tests.factories import DATASET, PURPOSE, Site

TIMES = 7
SETTLE_SECONDS = 2.0  # the worker tidies up, and has a process ready for the next view
GOAL = 2.0
OVER = (VisitState.RELEASED, VisitState.FAILED, VisitState.BLOCKED)
REACHED = (VisitState.QUARANTINED, VisitState.PASSED, *OVER)


def rows() -> list[dict[str, Any]]:
    """One row: the medians and their ratio. Ours and bare runs take turns, so that both meet the same load."""
    with measured_site() as site, site.open() as node, tempfile.TemporaryDirectory() as place:
        worker = site.start("work")
        visit = _ask(site, node, "Only its view is used")
        site.stop(worker)  # it would tidy the view away, because nobody approved this visit
        bare = _bare_run(node, visit, Path(place))
        worker = site.start("work")
        ours, peer = [], []
        for number in range(TIMES):
            ours.append(_visit(site, node, f"Measured visit {number}"))
            peer.append(_timed(bare))
        site.stop(worker)
    mine, its = statistics.median(ours), statistics.median(peer)
    return [
        {
            "name": "visit.approved_to_quarantined_vs_docker_run",
            "ours": round(mine, 3),
            "peer": round(its, 3),
            "ratio": round(mine / its, 2),
            "goal": GOAL,
            "unit": "s",
            "holds": mine / its <= GOAL,
        }
    ]


def _ask(site: Site, node: Node, title: str) -> Visit:
    """Send a study; its visit, once it waits for people."""
    with node.store.read() as reader:
        algorithm = reader.one(Algorithm, name="counts")
    assert algorithm is not None
    rosa = who_token(node, site.token("rosa"))
    wanted = {
        "title": title,
        "question": "How many registrations are there, by region and year?",
        "purpose": PURPOSE,
        "legalBasis": ["https://w3id.org/dpv/legal/eu/gdpr#A6-1-e"],
        "algorithm": {"name": "counts", "version": algorithm.version, "identity": algorithm.image},
        "datasets": [DATASET],
        "dimensions": ["region", "year"],
        "parameters": {"dimensions": ["region", "year"]},
    }
    study = send(node, rosa, draft(node, rosa, wanted))
    return site.wait_for_visit("waiting", study=study.id)


def _visit(site: Site, node: Node, title: str) -> float:
    """Seconds from the last signature to the result in quarantine."""
    visit = _ask(site, node, title)
    for user, role in (("carla", "custodian"), ("lars", "counsel")):
        signer = signer_with_token(node, site.token(user))
        approvals.approve(node, signer, visit.id, approvals.item(node, visit.id).content_hash, role)
    began = time.perf_counter()
    while True:
        with node.store.read() as reader:
            now = reader.get(Visit, visit.id)
        assert now is not None
        if now.state in REACHED:
            break
        time.sleep(0.005)
    seconds = time.perf_counter() - began
    now = site.wait_for_visit(*OVER, study=visit.study)
    if now.state != VisitState.RELEASED:
        raise RuntimeError(f"the visit ended as {now.state}: {now.internal}")
    site.wait_until_clean()
    time.sleep(SETTLE_SECONDS)
    return seconds


def _bare_run(node: Node, visit: Visit, folder: Path) -> list[str]:
    """A command that runs the same container on the same view, with nothing around it."""
    context = read_context(node, visit)
    make_view(context)
    shutil.copy(context.view_path, folder / "records.parquet")
    shutil.rmtree(context.folder)
    (folder / "run.json").write_bytes(run_json(context))
    (folder / "result").touch()
    for name, mode in (("records.parquet", 0o444), ("run.json", 0o444), ("result", 0o622)):
        (folder / name).chmod(mode)
    folder.chmod(0o755)
    mounts = [
        f"{folder}/records.parquet:/fairnode/in/records.parquet:ro",
        f"{folder}/run.json:/fairnode/run.json:ro",
        f"{folder}/result:/fairnode/out/result",
    ]
    options = [word for mount in mounts for word in ("--volume", mount)]
    return ["docker", "run", "--rm", "--network", "none", *options, image_name(context.algorithm.image)]


def _timed(command: list[str]) -> float:
    """Seconds that a command takes."""
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - began
