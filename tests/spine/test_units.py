"""What is counted, registrations or persons, on data in which many persons were registered more than once."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from pathlib import Path

import pytest

from fairnode.records.rows import Dataset, Release
from tests.spine.telling import send_study, sign, write_study

pytestmark = pytest.mark.needs_docker
KEY, SEX = "dossiernummer", "geslacht"


@pytest.fixture
def several(site):
    """A node whose every third person was registered once more; the rows of its file."""
    with site.open() as node, node.store.write() as tx:
        (dataset,) = tx.find(Dataset)
        text = Path(dataset.source["path"]).read_text(encoding=dataset.source["encoding"])
        rows = list(csv.DictReader(io.StringIO(text)))
        rows += rows[::3]
        target, out = site.directory / "more.csv", io.StringIO()
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
        target.write_text(out.getvalue(), encoding=dataset.source["encoding"])
        tx.change(dataset, source={**dataset.source, "path": str(target)})
    return site, rows


@pytest.mark.long
def test_registrations_are_counted_by_default_and_persons_where_the_study_says_so(several):
    site, rows = several
    site.start("work")
    counted = {
        "registration": Counter(row[SEX] for row in rows),
        "person": Counter(sex for _, sex in {(row[KEY], row[SEX]) for row in rows}),
    }
    assert counted["person"] != counted["registration"]
    for unit, given in ((None, "registration"), ("registration", "registration"), ("person", "person")):
        options = {"dimension": ["sex"], **({"parameters": json.dumps({"unit": unit})} if unit else {})}
        study = send_study(site, write_study(site, f"{unit}.json", options=options))
        visit = site.wait_for_visit("waiting", study=study)
        sign(site, visit.id)
        site.wait_until_finished(study)
        with site.open() as node, node.store.read() as reader:
            (release,) = reader.find(Release, {"study": study})
        (table,) = json.loads(release.table)["tables"]
        assert table["unit"] == given
        cells = {cell["k"][0]: cell["n"] for cell in table["cells"] if cell["status"] == "shown"}
        largest = counted[given].most_common(2)
        assert sorted(cells.values(), reverse=True)[:2] == [5 * round(n / 5) for _, n in largest]
        name = {"registration": "Registrations", "person": "Persons"}[given]
        assert name in site.cli("study", "result", study, "--form", "svg").stdout
        assert name in site.cli("study", "result", study, "--form", "turtle").stdout
