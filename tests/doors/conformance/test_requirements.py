"""Each requirement of a FAIR Data Point, asked of a real node that has nothing but metadata."""

from __future__ import annotations

import pytest

from tests.doors.conformance import api_and_errors, dataset_and_pages, forms_and_harvest, root_and_walk
from tests.doors.conformance.point import PROBES, Asked, Point, Probe
from tests.doors.conformance.table import ASKED

pytestmark = pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")
MODULES = (root_and_walk, forms_and_harvest, dataset_and_pages, api_and_errors)


@pytest.mark.parametrize("probe", PROBES, ids=str)
def test_requirement(point: Point, probe: Probe) -> None:
    probe.check(point)


@pytest.mark.parametrize("asked", ASKED, ids=str)
def test_request(point: Point, asked: Asked) -> None:
    answer = point.http.request(asked.method, asked.path, headers=dict(asked.headers), content=asked.body)
    allowed = asked.status if isinstance(asked.status, tuple) else (asked.status,)
    assert answer.status_code in allowed
    for name, value in asked.told:
        assert answer.headers[name].startswith(value)
    assert "Traceback" not in answer.text


def test_every_requirement_is_asked() -> None:
    assert {p.number for p in PROBES} | {a.number for a in ASKED} == set(range(1, 57))
    assert all(PROBES and module for module in MODULES)
