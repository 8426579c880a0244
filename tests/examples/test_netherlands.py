"""The six case files of the example count to the published table, each read from its own type and codes."""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import examples.netherlands
from examples.netherlands import ORGANISATIONS, expand, published, record
from examples.netherlands.marginals import AGE, CITIZENSHIP, FORM, PERSONS, SEX, YEAR
from examples.netherlands.people import draw_people
from fairnode.datasets.bindings import read_dataset
from fairnode.datasets.source import read_source
from fairnode.jobs import view as view_job
from fairnode.records.dataset import Dataset, Source, View, to_json

KEYS = ("familyName", "givenName", "birthDate")
SHARED = ("region", "year", "exploitationForm", "ageGroup", "sex", "citizenship")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("netherlands")
    began = time.monotonic()
    expand(out)
    assert time.monotonic() - began < 60  # a few seconds; generous for a busy machine
    return out


def load(folder: Path, key: str) -> tuple[Dataset, Source]:
    organisation = next(o for o in ORGANISATIONS if o.key == key)
    turtle = (folder / key / "record.ttl").read_text(encoding="utf-8")
    assert turtle.replace("{base}", "https://node.example") == record(organisation, "https://node.example/")
    dataset = read_dataset(turtle.replace("{base}", "https://node.example"))
    return dataset, read_source((folder / key / "source.toml").read_text(encoding="utf-8"), folder / key)


def rows_of(folder: Path, key: str, variables: tuple[str, ...], **more: object) -> list[dict]:
    dataset, source = load(folder, key)
    job = {
        "dataset": to_json(dataset), "source": to_json(source), "identifiers": True,
        "view": to_json(View(variables, **more)), "output": str(folder / f"{key}.parquet"),
    }  # fmt: skip
    view_job.run(job)
    return pq.read_table(job["output"]).to_pylist()


def test_linking_the_six_files_gives_the_published_table_in_every_cell(folder) -> None:
    lists = {
        o.letter: Counter(tuple(row.values()) for row in rows_of(folder, o.key, KEYS)) for o in ORGANISATIONS
    }
    assert all(times == 1 for people in lists.values() for times in people.values())
    everyone = set().union(*lists.values())
    patterns = Counter(
        tuple(sorted(letter for letter in lists if person in lists[letter])) for person in everyone
    )
    assert patterns == published()
    assert (len(everyone), sum(map(len, lists.values()))) == (8234, 8684)


def test_a_person_is_the_same_on_every_list_but_for_gaps(folder) -> None:
    seen: dict[tuple, dict[str, set]] = {}
    for organisation in ORGANISATIONS:
        for row in rows_of(folder, organisation.key, (*KEYS, *SHARED)):
            person = seen.setdefault(tuple(row[name] for name in KEYS), {name: set() for name in SHARED})
            for name in SHARED:
                person[name] |= {row[name]} - {None, "unknown", "other"}
    assert all(len(values) <= 1 for person in seen.values() for values in person.values())


def test_every_code_in_every_file_has_a_concept(folder) -> None:
    for organisation in ORGANISATIONS:
        dataset, source = load(folder, organisation.key)
        everything = View(tuple(b.variable for b in dataset.bindings))
        job = {"dataset": to_json(dataset), "source": to_json(source), "view": to_json(everything),
               "identifiers": True, "output": str(folder / "all.parquet")}  # fmt: skip
        result = view_job.run(job)
        assert result["unmapped"] == {}, organisation.key
        assert result["persons"] == result["rows"] == sum(
            count for pattern, count in published().items() if organisation.letter in pattern
        )  # fmt: skip


def test_quotas_are_met_exactly() -> None:
    people = draw_people(7)
    assert Counter(person.identified.year for person in people) == YEAR
    for attribute, shares in (("form", FORM), ("sex", SEX), ("citizenship", CITIZENSHIP)):
        counted = Counter(getattr(person, attribute) for person in people)
        assert all(abs(counted[value] - share * PERSONS) <= 1 for value, share in shares.items()), attribute
    assert abs(sum(person.age < 18 for person in people) - AGE["minor"] * PERSONS) <= 1
    assert len({(p.family_name, p.given_name, p.birth_date) for p in people}) == PERSONS


def test_the_same_seed_gives_the_same_bytes(folder, tmp_path) -> None:
    expand(tmp_path)
    for organisation in ORGANISATIONS:
        name = f"{organisation.key}/{organisation.file}"
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes(), name


@pytest.mark.parametrize("dimensions", [("region", "year"), ("exploitationForm", "sex", "ageGroup")])
def test_tables_have_cells_to_show_and_cells_to_hide(folder, dimensions) -> None:
    cells = Counter(tuple(row.values()) for row in rows_of(folder, "police", dimensions))
    small = sum(count < 11 for count in cells.values())
    assert small >= 3
    assert len(cells) - small >= 20


def test_the_police_file_is_windows_1252_with_accents(folder) -> None:
    content = (folder / "police" / "slachtoffers.csv").read_bytes()
    with pytest.raises(UnicodeDecodeError):
        content.decode("utf-8")
    assert "Roemenië" in content.decode("windows-1252")


def test_the_package_works_from_wherever_it_is_installed(tmp_path) -> None:
    shutil.copytree(Path(examples.netherlands.__file__).parent, tmp_path / "share" / "netherlands")
    program = (
        f"import sys; sys.path.insert(0, {str(tmp_path / 'share')!r})\n"
        "from netherlands.__main__ import main\n"
        f"sys.exit(main([{str(tmp_path / 'out')!r}, '3']))"
    )
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "police" in done.stdout
    assert {path.name for path in (tmp_path / "out").iterdir()} == {o.key for o in ORGANISATIONS} | {
        "truth.csv"
    }


def test_truth_says_which_registrations_are_of_one_person(folder) -> None:
    with (folder / "truth.csv").open(encoding="utf-8", newline="") as file:
        truth = list(csv.DictReader(file))
    assert len(truth) == 8684
    assert len({row["person"] for row in truth}) == PERSONS
    keys = {row["key"] for row in truth if row["organisation"] == "shelters"}
    assert keys == {row["personKey"] for row in rows_of(folder, "shelters", ("personKey",))}
