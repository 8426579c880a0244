"""The image of algorithms/counts: built twice the same, and counting under the full lockdown."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fairnode.algorithms.archive import read_archive
from fairnode.algorithms.manifest import read_manifest
from fairnode.engine_docker.build import Source, build, hand_in
from fairnode.engine_docker.daemon import Daemon

pytestmark = pytest.mark.needs_docker
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def counts_image(base_image):
    with closing(Daemon()) as daemon:
        return build(daemon, Source(ROOT / "algorithms/counts", ROOT / "algorithms/kit", base_image))


def asked(path: str) -> bytes:
    region = {"variable": "region", "codes": ["NL-AM", "NL-DH", "NL-LE"]}
    table = {
        "id": "counts",
        "kind": "count",
        "unit": "registration",
        "input": "records",
        "dimensions": [region],
    }
    variables = [{"name": "region", "kind": "coded", "codes": region["codes"]}]
    inputs = [{"name": "records", "path": path, "variables": variables}]
    run = {"study": "s", "visit": "v", "parameters": {}, "inputs": inputs, "contract": {"tables": [table]}}
    return json.dumps(run).encode()


def test_counts_visits_records_under_the_full_lockdown(engine, run, spec_of, counts_image, tmp_path):
    records = tmp_path / "records.parquet"
    pq.write_table(pa.table({"region": ["NL-AM"] * 12 + ["NL-DH"] * 3 + [None]}), records)
    spec = spec_of(
        "",
        image_id=counts_image.image_id,
        identity=counts_image.identity,
        entrypoint=("python3", "/opt/algorithm/counts.py"),
        inputs={"records.parquet": records},
        run_json=asked("/fairnode/in/records.parquet"),
    )
    assert run(spec).exit_code == 0
    (table,) = json.loads(engine.collect(spec.visit_id))["tables"]
    assert [(cell["k"], cell["n"]) for cell in table["cells"]] == [
        (["NL-AM"], 12),
        (["NL-DH"], 3),
        (["NL-LE"], 0),
    ]


def test_what_an_author_hands_in_can_be_loaded_and_is_the_same(base_image, counts_image, engine, tmp_path):
    with closing(Daemon()) as daemon:
        source = Source(ROOT / "algorithms/counts", ROOT / "algorithms/kit", base_image)
        assert hand_in(daemon, source, tmp_path / "out") == counts_image
    assert read_manifest((tmp_path / "out/algorithm.toml").read_bytes()).identity == counts_image.identity
    image = read_archive(tmp_path / "out/image.tar", engine.report().architecture)
    assert "duckdb" in {package.name for package in image.packages if package.kind == "pypi"}
    assert engine.load_image(tmp_path / "out/image.tar") == counts_image


def tags(daemon: Daemon) -> set[str]:
    images = daemon.ask(lambda api: api.images("fairnode/built"))
    return {tag for image in images for tag in image["RepoTags"] or ()}


@pytest.mark.long
def test_building_the_same_source_again_gives_the_same_identity(base_image, counts_image, tmp_path):
    folder = tmp_path / "counts"
    shutil.copytree(ROOT / "algorithms/counts", folder)
    with (folder / "README.md").open("a") as readme:  # another source digest, so it is really built again
        readme.write("\n")
    with closing(Daemon()) as daemon:
        before = tags(daemon)
        again = build(daemon, Source(folder, ROOT / "algorithms/kit", base_image))
        for tag in tags(daemon) - before:
            daemon.ask(lambda api, tag=tag: api.remove_image(tag, noprune=True))
    assert again == counts_image
