"""What the node says about its engine, and when that is not enough."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fairnode.engine import EngineReport, Limits, too_old

REPORT = EngineReport(
    *(
        "Docker",
        "20.10.24+dfsg1",
        "1.1.5+ds1",
        "1.6.20~ds1",
        "6.18.44-fc-v595",
        "Debian",
        "amd64",
        "1",
        "overlay2",
    ),
    runtimes=("runc",),
    security=("seccomp",),
)


@pytest.mark.needs_docker
def test_the_engine_at_hand_tells_its_versions(engine):
    report = engine.report()
    assert report.engine == "Docker"
    assert all((report.engine_version, report.runc_version, report.kernel_version, report.architecture))
    assert "runc" in report.runtimes
    assert too_old(report, {"engine": "20.10", "runc": "1.0", "kernel": "4.8"}) == ()


@pytest.mark.parametrize(
    ("least", "old"),
    [
        ({}, []),
        ({"engine": "20.10.24", "runc": "1.1.5", "kernel": "6.18"}, []),
        ({"engine": "23.0"}, ["engine"]),
        ({"runc": "1.2.8", "containerd": "1.6.20"}, ["runc"]),
        ({"kernel": "6.19"}, ["kernel"]),
    ],
)
def test_what_is_older_than_allowed_is_told(least, old):
    assert [finding.where for finding in too_old(REPORT, least)] == old


def test_a_version_that_cannot_be_read_counts_as_too_old():
    assert too_old(replace(REPORT, runc_version=""), {"runc": "1.0"})
    assert too_old(replace(REPORT, runc_version="unknown"), {"runc": "1.0"})


def test_limits_are_lowered_to_the_ceiling_and_never_raised():
    asked = Limits(memory_bytes=10 << 30, pids=3)
    ceiling = Limits(memory_bytes=1 << 30, pids=64)
    assert (asked.within(ceiling).memory_bytes, asked.within(ceiling).pids) == (1 << 30, 3)
