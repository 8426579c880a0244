"""Whatever bytes stand in a file: the answer is rows, or an error in words that holds nothing of them."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fairnode.datasets.reading import open_rows
from fairnode.errors import FairnodeError
from fairnode.records.dataset import Source

QUIET = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def read(source: Source) -> int:
    """Rows read, or -1 after an error for people."""
    try:
        with warnings.catch_warnings(), open_rows(source) as (table, batches):
            warnings.simplefilter("ignore")
            return sum(len(row) == len(table.columns) for batch in batches for row in batch)
    except FairnodeError as told:
        return -1 if source.path not in str(told) else -2


@pytest.mark.parametrize("kind", ["csv", "jsonl", "xlsx", "parquet", "sqlite"])
@QUIET
@given(content=st.binary(max_size=400))
@example(content=b"")
@example(content=b"a,b\n\x00,1\n")
@example(content=b'{"a": ' + b"[" * 5000)
@example(content=b'{"a": ' + b"9" * 5000 + b"}")
def test_any_bytes(tmp_path: Path, kind: str, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    assert read(Source(kind, path=str(tmp_path / "file"), table="t")) >= -1


@pytest.mark.parametrize("kind", ["tsv", "jsonl", "xlsx", "parquet", "sqlite"])
@QUIET
@given(at=st.floats(0, 0.999), to=st.binary(min_size=1, max_size=3), cut=st.booleans())
def test_a_good_file_with_some_bytes_changed(write_source, kind: str, at: float, to: bytes, cut) -> None:
    source = write_source(kind)
    good = Path(source.path).read_bytes()
    place = int(at * len(good))
    Path(source.path).write_bytes(good[:place] + to + (b"" if cut else good[place + len(to) :]))
    assert read(source) >= -1
