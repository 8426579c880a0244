"""Cases 54 and 70: the same records in another order; an engine whose answers are lost."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq

from fairnode.engine_docker import DockerEngine, DockerSettings
from fairnode.engine_docker.build import Source, build
from fairnode.engine_docker.probe import attack_spec, run
from tests.engine.cut import Wire, whole_visit
from tests.hostile.case import ROOT, Outcome, Target, case, contained

REGION = {"variable": "region", "codes": ["NL-AM", "NL-DH", "NL-LE"]}
TABLE = {"id": "t", "kind": "count", "unit": "registration", "input": "records", "dimensions": [REGION]}
RECORDS = {
    "name": "records",
    "path": "/fairnode/in/records.parquet",
    "variables": [{"name": "region", "kind": "coded", "codes": REGION["codes"]}],
}
ASKED = {"study": "s", "visit": "v", "parameters": {}, "inputs": [RECORDS], "contract": {"tables": [TABLE]}}


@case(54, "counts over the same records in another order", is_long=True)
def another_order(target: Target) -> Outcome:
    image = build(
        target.engine.daemon, Source(ROOT / "algorithms/counts", ROOT / "algorithms/kit", target.image_id)
    )
    rows, records = ["NL-AM"] * 40 + ["NL-DH"] * 17 + ["NL-LE"], target.folder / "records.parquet"
    contents = set()
    for seed in range(3):
        Random(seed).shuffle(rows)
        pq.write_table(pa.table({"region": rows}), records)
        spec = replace(
            attack_spec(target.engine, image.image_id, target.program, []),
            entrypoint=("python3", "/opt/algorithm/counts.py"),
            inputs={records.name: records},
            run_json=json.dumps(ASKED).encode(),
        )
        run(target.engine, spec)
        contents.add(target.engine.collect(spec.visit_id))
    return contained(len(contents) == 1, "three orders, the same bytes")


@case(70, "the answer of the engine is lost at each request of a visit in turn", is_long=True)
def lost_answers(target: Target) -> Outcome:
    path = target.folder / "engine.sock"
    wire = Wire(path)
    settings = DockerSettings(
        target.engine.node, target.folder / "spool", ROOT / "docker/seccomp.json", address=f"unix://{path}"
    )
    ends = []
    with closing(wire), closing(DockerEngine(settings)) as far:
        for requests in range(1, 25):
            spec = replace(
                attack_spec(target.engine, target.image_id, target.program, []),
                entrypoint=("sh", "-c", "printf once >>/fairnode/out/result"),
            )
            wire.cut_after(requests)
            ends.append(whole_visit(wire, far, spec))
            wire.mend()
    held = {content for content, _ in ends} == {b"once"}
    return contained(
        held, f"{sum(n for _, n in ends)} answers lost, every visit ran once and was collected whole"
    )
