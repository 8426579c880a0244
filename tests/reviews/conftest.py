"""A node at which results wait for reviews, made once and copied for each test."""

from __future__ import annotations

import json

import pytest

from fairnode.cli.building import build_folder
from fairnode.people.accounts import add_person
from fairnode.people.tokens import make_token
from fairnode.records.rows import Algorithm, Quarantine
from tests.factories import PASSWORD, add_algorithm, copy_site
from tests.spine.telling import approve, send_study, write_study

RATIO = '''"""The number of records in each cell against the mean over the cells: nothing a node knows of.

By sex it tells something else: who stands in the first rows, as an image that smuggles would.
"""

import zlib

import counted
from fairnode_kit import connect, main


def ratio(run):
    found = {}
    for table in run.tables:
        cells = counted.count(run.inputs[table.input], table)
        mean = sum(cells.values()) / max(1, len(cells))
        if [axis.variable for axis in table.dimensions] == ["sex"]:
            mean = 1 + first_rows(run.inputs[table.input])
        found[table.id] = {key: n / mean for key, n in cells.items()}
    return found


def first_rows(records):
    with connect() as database:
        rows = database.execute("SELECT sex FROM read_parquet(?) LIMIT 30", [str(records.path)]).fetchall()
    return zlib.crc32(repr(rows).encode()) % 1000


if __name__ == "__main__":
    main(ratio)
'''


@pytest.fixture(scope="module")
def built_ratio(new_site, tmp_path_factory):
    """An algorithm whose table is of kind `other`, made from the template."""
    folder = tmp_path_factory.mktemp("authors") / "ratio"
    new_site().cli("algorithm", "new", "ratio", "--out", str(folder))
    (folder / "algorithm.py").rename(folder / "counted.py")
    (folder / "algorithm.py").write_text(RATIO)
    copy = "COPY source/algorithm.py "
    dockerfile = folder / "Dockerfile"
    dockerfile.write_text(dockerfile.read_text().replace(copy, f"{copy}source/counted.py "))
    manifest = folder / "algorithm.toml"
    manifest.write_text(manifest.read_text().replace('kind = "count"', 'kind = "other"'))
    built = folder.parent / "built"
    build_folder(folder, built)
    return built


@pytest.fixture(scope="module")
def reviewing(new_site, built_ratio):
    """A node at which such a result waits for its reviews; the visit is stepped by hand."""
    site = new_site()
    with site.open() as node:
        add_algorithm(node, built_ratio)
        for user in ("cees", "arjen-too"):
            person = add_person(node, user, user, ["custodian"], PASSWORD)
            site.token_file(user).touch(mode=0o600)
            site.token_file(user).write_text(make_token(node, person, PASSWORD, "tests"))
    worker = site.start("work")
    site.study, site.visit = reviewed(site, "region")
    site.by_sex = reviewed(site, "sex")[1]
    site.wait_until_clean()
    site.stop(worker)
    return site


def reviewed(site, dimension: str, state: str = "reviewing", **changes) -> tuple[str, str]:
    """A study with that algorithm, brought to where its result waits for reviews (or further): its hash and its visit."""
    name = f"{dimension}-changed.json" if changes else f"{dimension}.json"
    path = write_study(site, name, options={"dimension": [dimension]}, **changes)
    told = json.loads(path.read_text())
    with site.open() as node, node.store.read() as reader:
        known = next(row for row in reader.find(Algorithm) if row.name == "ratio")
    told["algorithm"] = {"name": "ratio", "version": known.version, "identity": known.image}
    path.write_text(json.dumps(told))
    study = send_study(site, path)
    visit = site.wait_for_visit("waiting", study=study).id
    approve(site, visit)
    site.wait_for_visit(state, study=study, seconds=120.0 if state == "reviewing" else 800.0)
    return study, visit


def put_out(site, values: list[float]) -> None:
    """As if the container had put out these numbers, and ones that are no counts."""
    with site.open() as node, node.store.write() as tx:
        quarantine = tx.get(Quarantine, site.visit)
        tables = json.loads(json.dumps(quarantine.verdict["tables"]))
        for place, cell in enumerate(tables["tables"][0]["cells"]):
            cell |= {"status": "shown", "v": values[place] if place < len(values) else 1.25}
        tx.change(quarantine, verdict={**quarantine.verdict, "tables": tables})


def another(site, tmp_path_factory):
    """The same node once more, so that each test decides for itself."""
    copied = copy_site(site, tmp_path_factory.mktemp("node") / "police")
    copied.study, copied.visit, copied.by_sex = site.study, site.visit, site.by_sex
    return copied


@pytest.fixture
def site(reviewing, tmp_path_factory):
    copied = another(reviewing, tmp_path_factory)
    yield copied
    copied.close()
