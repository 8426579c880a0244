"""A node at which results wait for reviews, made once in a run and copied for each test."""

from __future__ import annotations

import json

import pytest

from fairnode.cli.building import build_folder
from fairnode.people.accounts import add_person
from fairnode.people.tokens import make_token
from fairnode.records.rows import Algorithm
from tests.factories import PASSWORD, Site, add_algorithm, copy_site, one_at_a_time
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


@pytest.fixture(scope="session")
def built_ratio(new_site, shared_folder):
    """An algorithm whose table is of kind `other`, made from the template."""
    built = shared_folder / "ratio-built"
    with one_at_a_time(shared_folder):
        if not (built / "algorithm.toml").exists():
            build_ratio(new_site(), shared_folder / "ratio", built)
    return built


def build_ratio(site, folder, built) -> None:
    """What its author does, from the template to the image."""
    site.cli("algorithm", "new", "ratio", "--out", str(folder))
    (folder / "algorithm.py").rename(folder / "counted.py")
    (folder / "algorithm.py").write_text(RATIO)
    copy = "COPY source/algorithm.py "
    dockerfile = folder / "Dockerfile"
    dockerfile.write_text(dockerfile.read_text().replace(copy, f"{copy}source/counted.py "))
    manifest = folder / "algorithm.toml"
    manifest.write_text(manifest.read_text().replace('kind = "count"', 'kind = "other"'))
    build_folder(folder, built)


@pytest.fixture(scope="session")
def reviewing_template(new_site, built_ratio, shared_folder):
    """A node at which such results wait for their reviews, that is only copied."""
    folder, notes = shared_folder / "reviewing", shared_folder / "reviewing.json"
    with one_at_a_time(shared_folder):
        if not notes.exists():
            site = new_site()
            notes.write_text(json.dumps(make_reviewing(site, built_ratio)))
            site.directory.rename(folder)
            site.directory = folder
    return Site(folder), json.loads(notes.read_text())


def make_reviewing(site, built_ratio) -> dict[str, str]:
    """Two studies with that algorithm, brought to where people review them: what the tests name them by."""
    with site.open() as node:
        add_algorithm(node, built_ratio)
        for user in ("cees", "arjen-too"):
            person = add_person(node, user, user, ["custodian"], PASSWORD)
            site.token_file(user).touch(mode=0o600)
            site.token_file(user).write_text(make_token(node, person, PASSWORD, "tests"))
    worker = site.start("work")
    study, visit = reviewed(site, "region")
    by_sex = reviewed(site, "sex")[1]
    site.wait_until_clean()
    site.stop(worker)
    return {"study": study, "visit": visit, "by_sex": by_sex}


@pytest.fixture(scope="module")
def reviewing(reviewing_template, tmp_path_factory):
    """A copy of it for the tests of one module; the visits are stepped by hand."""
    template, notes = reviewing_template
    copied = copy_site(template, tmp_path_factory.mktemp("node") / "police")
    copied.study, copied.visit, copied.by_sex = notes["study"], notes["visit"], notes["by_sex"]
    yield copied
    copied.close()


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
