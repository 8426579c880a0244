"""What the node says about its engine, and when that is not enough."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from fairnode import errors
from fairnode.config import Config, Least, Organisation, Settings
from fairnode.engine import EngineReport, Limits, too_old
from fairnode.new_node import make_node
from fairnode.node import open_node
from fairnode.worker.selftest import check_engine, engine_key, engine_lacks

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


def test_a_runtime_that_the_engine_does_not_have_is_told_before_any_visit():
    config = Config(Path(), "n", "https://n.example", "", 1, Organisation("O"), Settings(runtime="runsc"))
    (found,) = engine_lacks(config, REPORT)
    assert (found.where, "it has runc" in found.what) == ("runtime", True)
    assert engine_lacks(config, replace(REPORT, runtimes=("runc", "runsc"))) == ()


def test_the_oldest_versions_of_the_settings_are_compared():
    config = Config(Path(), "n", "https://n.example", "", 1, Organisation("O"), least=Least(runc="1.2.8"))
    assert [finding.where for finding in engine_lacks(config, REPORT)] == ["runc"]
    assert engine_lacks(replace(config, least=Least(runc="1.1")), REPORT) == ()


def test_another_runtime_is_another_engine_to_be_tested():
    keys = {engine_key(Telling(replace(REPORT, runtime=name))) for name in ("runc", "runsc")}
    assert len(keys) == 2


def test_an_engine_that_is_too_old_is_not_even_attacked(tmp_path):
    make_node(
        Config(tmp_path / "n", "n", "http://n.example", "", 1, Organisation("O"), least=Least(kernel="99.1"))
    )
    node = open_node(tmp_path / "n")
    tried: list[str] = []
    with pytest.raises(errors.Unavailable, match="not as the node's settings ask") as refused:
        check_engine(node, Telling(REPORT), "image", lambda _, image: tried.append(image) or ())
    assert "must be 99.1 or newer" in refused.value.internal
    assert tried == []
    node.close()


@dataclass(frozen=True)
class Telling:
    """An engine of which only the report is asked."""

    told: EngineReport

    def report(self) -> EngineReport:
        return self.told
