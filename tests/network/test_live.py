"""The main job over real processes: a table over four organisations, and nobody saw another's numbers."""

from __future__ import annotations

import json
import os
import random
import struct
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from examples.netherlands import LISTS, published
from fairnode.algorithms.own import own_programs
from fairnode.cli.main import fairnode
from fairnode.combine.waiting import waiting_for
from fairnode.demo.policies import SENTENCE
from fairnode.discovery.search import Wanted, search
from fairnode.mpc.estimate.grid import figures
from fairnode.mpc.estimate.models import Model
from fairnode.mpc.estimate.plain import hidden_number
from fairnode.mpc.overlap.shape import patterns
from fairnode.records.rows import Computation, PeerHead, Release, Study
from fairnode.records.states import PublicState
from fairnode.release.estimates import estimates_of
from fairnode.studies.follow import follow
from fairnode.studies.hidden import hidden_population
from tests.network import plain
from tests.network.live import KEYS, Traffic, build, shown

pytestmark = [pytest.mark.needs_docker, pytest.mark.timeout(600)]
CACHE = Path(__file__).parents[2] / ".cache" / "demo"
FIRST = ("exploitationForm", "sex")


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    network = build(tmp_path_factory.mktemp("live"), CACHE)
    for key in KEYS:
        for command in ("serve", "work"):
            network.start(key, command)
    yield network
    network.stop()


@pytest.fixture(scope="module")
def told(live):
    """The first study, from the question to the table, with whatever went over the wire meanwhile."""
    ports = [p for m in live.members.values() for p in (m.port, m.peer_port, m.compute_port) if p]
    wait_until_known(live)
    traffic = Traffic(ports)
    study = live.ask(FIRST)
    asked = live.approve(study)
    releases = live.released(study)
    return study, asked, releases, traffic.stop() if traffic.allowed else None


def wait_until_known(live, seconds=180.0):
    """Until the home node has harvested all records."""
    node, until = live.home, time.monotonic() + seconds
    while len(search(node, Wanted())) < len(KEYS) and time.monotonic() < until:
        time.sleep(0.2)
    node.close()


def run(live, key, *words):
    """A command of the command line at a node, as JSON."""
    done = CliRunner().invoke(fairnode, [*words, "--dir", str(live.members[key].directory), "--json"])
    return done, json.loads(done.stdout) if done.stdout.strip().startswith(("{", "[")) else None


def test_the_home_node_finds_the_datasets_of_all_by_variables_and_years(live):
    wait_until_known(live)
    node = live.home
    everywhere = search(node, Wanted(variables=FIRST, years=tuple(range(2010, 2016))))
    assert {found.iri for found in everywhere} == {m.dataset for m in live.members.values()}
    with_recruiter = search(node, Wanted(variables=("recruiterRelation",)))
    assert {f.node for f in with_recruiter} == {live.members[k].url for k in ("police", "coordinators")}
    assert search(node, Wanted(years=(1999,))) == []
    node.close()


def test_one_grants_by_policy_and_the_others_ask_people(told):
    _, asked, _, _ = told
    assert asked == {"police": 1, "labour": 0, "coordinators": 1, "shelters": 1}


def test_the_released_table_is_the_plain_rule_over_the_files(live, told):
    _, _, (release,), _ = told
    expected = plain.table(live.data, live.organisations(), FIRST)
    assert len(expected) > 5
    assert shown(release) == expected


def windows(counts):
    """A part of a node's counts that tells them from others', as text and as numbers."""
    starts = range(len(counts) - 4)
    start = max(starts, key=lambda i: (sum(n > 0 for n in counts[i : i + 5]), sum(counts[i : i + 5])))
    part = counts[start : start + 5]
    texts = [glue.join(map(str, part)).encode() for glue in (",", ", ", "\n", " ")]
    forms = [struct.pack(f"{order}5{size}", *part) for order in "<>" for size in "IQd"]
    return [*texts, *forms]


def test_no_node_holds_anothers_counts_in_any_file(live, told):
    study, *_ = told
    for key in KEYS:
        patterns = windows(live.counts(key, study))
        own = [path for path in files(live, key) if any(p in held(path) for p in patterns)]
        assert own, "the search finds the counts where they are"
        for other in set(KEYS) - {key}:
            found = [p.name for p in files(live, other) if any(x in held(p) for x in patterns)]
            assert found == []


def test_no_count_went_over_the_wire_and_no_share_message_in_clear(live, told):
    """Listens on loopback itself, which needs the right to open raw sockets (root, or CAP_NET_RAW)."""
    study, _, _, traffic = told
    if traffic is None:
        pytest.skip("raw sockets are not allowed to this user, so nothing was captured")
    assert len(traffic) > 50_000, "the capture took what went between the nodes"
    for key in KEYS:
        assert not any(pattern in traffic for pattern in windows(live.counts(key, study)))
    for word in (b'"package"', b'"announcement"', b"receiverKeys", study.encode()):
        assert word not in traffic, word


def files(live, key):
    """Every file of a node: database, journal, logs, spool, keys."""
    found = (
        Path(folder, name) for folder, _, names in os.walk(live.members[key].directory) for name in names
    )
    return [path for path in found if path.is_file() and path.suffix != ".tar"]


def held(path):
    """What is in a file of a node at work; of one that is gone already, nothing."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def test_a_study_that_a_policy_refuses_shows_its_sentence(live, told):
    study = live.ask(
        ("citizenship",),
        datasets=[live.members["shelters"].dataset],
        stages=[{"name": "count", "kind": "visit"}],
        openings=[],
    )
    assert live.released(study) == []
    node = live.home
    (line,) = follow(node, study)
    node.close()
    assert (line.state, line.sentence) == (PublicState.NOT_RELEASED, SENTENCE)


def test_every_ledger_is_sound_and_each_is_witnessed_by_the_others(live, told):
    for key in KEYS:
        done, facts = run(live, key, "ledger", "verify", "--peers")
        assert done.exit_code == 0, done.output
        assert facts["sound"]
    _, facts = run(live, "police", "ledger", "verify", "--peers")
    assert {peer["name"] for peer in facts["peers"] if peer["kept"]} >= {"Labour Inspectorate"} or facts[
        "peers"
    ]
    home = live.home
    with home.store.read() as reader:
        heads = {head.node for head in reader.find(PeerHead)}
    home.close()
    assert live.members["shelters"].url in heads


def test_killed_at_two_moments_three_nodes_catch_up_and_the_result_is_released_once(live, told):
    """Labour is down from the beginning; the police's worker dies in its visit, the home's with the shares."""
    live.kill("labour", "work")
    live.kill("labour", "serve")
    dimensions = ("exploitationForm", "region")
    study = live.ask(dimensions)
    live.approve(study, ("police", "coordinators", "shelters"))
    time.sleep(1.0)
    live.kill("police", "work")
    node = live.home
    with node.store.read() as reader:
        assert live.members["labour"].url in waiting_for(reader, study)["counts"]
    live.start("police", "work")
    live.start("labour", "serve")
    live.start("labour", "work")
    wait_for_announcement(node, study)
    live.kill("coordinators", "work")
    live.kill("coordinators", "serve")
    live.start("coordinators", "serve")
    live.start("coordinators", "work")
    (release,) = live.released(study, 240.0)
    assert shown(release) == plain.table(live.data, live.organisations(), dimensions, (FIRST,))
    with node.store.read() as reader:
        assert len(reader.find(Release, {"study": study})) == 1
    node.close()


def wait_for_announcement(node, study, seconds=120.0):
    """Until the home node has said who contributes."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with node.store.read() as reader:
            rows = [c for c in reader.find(Computation, {"study": study}) if c.id.startswith("home#")]
        if rows and rows[0].state != "waiting":
            return
        time.sleep(0.05)


PROCESSES = [(key, command) for key in KEYS for command in ("serve", "work")]


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("dimensions", [("region", "sex"), ("ageBroad",)])
def test_ten_kills_at_random_moments_of_one_study_and_the_result_is_the_same(live, told, dimensions):
    """Web and worker of home, compute parties, contributors and the hosted member: each at least once.

    People decide between the kills, so that they fall into every part of the study, the last five into
    counting, dealing, computing and opening.
    """
    chance = random.Random(" ".join(dimensions))
    victims = chance.sample(PROCESSES, len(PROCESSES)) + chance.choices(PROCESSES, k=2)
    study, deciding, moments = live.ask(dimensions), ["police", "coordinators", "shelters"], []
    for number, (key, command) in enumerate(victims):
        if number % 2 == 1 and deciding:
            live.approve(study, [deciding.pop(0)])
        time.sleep(chance.uniform(0.1, 2.0))
        moments.append((key, command, state_of(live, study)))
        live.kill(key, command)
        time.sleep(chance.uniform(0.0, 1.0))
        live.start(key, command)
    assert set(PROCESSES) <= {(key, command) for key, command, _ in moments}
    assert sum(state == "sent" for _, _, state in moments) >= 8, moments
    (release,) = live.released(study, 600.0)
    told = plain.table(live.data, live.organisations(), dimensions, (FIRST,))
    assert shown(release)
    assert shown(release).items() <= told.items()  # some are kept back beside the first table
    node = live.home
    with node.store.read() as reader:
        assert len(reader.find(Release, {"study": study})) == 1
    node.close()
    for key in KEYS:
        done, facts = run(live, key, "ledger", "verify")
        assert facts["sound"], done.output


def state_of(live, study):
    """Where the home node's study stands."""
    node = live.home
    with node.store.read() as reader:
        found = reader.get(Study, study).state
    node.close()
    return found


def ask_about_lists(live, **changes):
    """The study of how many nobody sees over the four lists; what was released."""
    wait_until_known(live)
    own = own_programs()["linkage-keys"]
    parts = hidden_population("names", 5000, ["independent", "1-3"])
    asked = {
        "purpose": "https://w3id.org/fairnode/policy#PrevalenceEstimation",
        "algorithm": {"name": "linkage-keys", "version": own.told.version, "identity": own.identity},
    }
    study = live.ask(**{**asked, **parts, **changes})
    live.approve(study)
    (release,) = live.released(study, 300.0)
    return estimates_of(release)


def published_cells(lists):
    """The published table over these datasets, in the order of `patterns`."""
    letters = {f"{key}-victims": letter for letter, key in LISTS.items()}
    ours = [letters[iri.rpartition("/")[2]] for iri in lists]
    cells = dict.fromkeys(patterns(len(lists)), 0)
    for on, number in published().items():
        pattern = tuple(i for i, letter in enumerate(ours) if letter in on)
        if pattern:
            cells[pattern] += number
    return list(cells.values())


@pytest.mark.long
def test_every_cell_of_the_overlap_of_synthetic_lists_is_the_published_one(live):
    stages = hidden_population("names", 5000, ["independent"])["stages"][:2]
    options = {"bound": 5000, "synthetic": True}
    stages = [stages[0], {**stages[1], "program": "overlap-open-synthetic", "options": options}]
    told = ask_about_lists(live, stages=stages, openings=["overlap"])
    assert [n for _, n in told.overlap] == published_cells(told.lists)


@pytest.mark.long
def test_what_nobody_sees_is_estimated_as_in_clear_rounded(live):
    told = ask_about_lists(live)
    cells = published_cells(told.lists)
    exact = [hidden_number(cells, Model.of(4, terms)) for terms in ([], [[0, 2]])]
    assert [m.hidden for m in told.models] == [figures(n0) for n0 in exact]
    assert told.observed == figures(sum(cells))
