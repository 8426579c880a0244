"""What happens in the demo: a study is asked, approved by two people, visits real counts, and is released."""

from __future__ import annotations

import time
from dataclasses import dataclass

from fairnode import approvals, errors
from fairnode.demo.members import Member
from fairnode.discovery.search import Wanted, search
from fairnode.node import Node, open_node
from fairnode.people.signing import signer_with_token
from fairnode.people.tokens import who_token
from fairnode.records.rows import Algorithm, Follow, Release, Study, Visit
from fairnode.records.states import ended
from fairnode.release.releases import releases_of
from fairnode.studies.follow import follow
from fairnode.studies.hidden import hidden_population
from fairnode.studies.send import draft, own_study, send


@dataclass(frozen=True)
class Told:
    """A finished study and what was released of it."""

    study: Study
    releases: tuple[Release, ...]


def wait_for_algorithm(node: Node, name: str, seconds: float = 60.0) -> Algorithm:
    """The algorithm of that name, once the worker has given its image to the engine."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with node.store.read() as reader:
            found = reader.one(Algorithm, name=name, state="known")
        if found:
            return found
        time.sleep(0.1)
    raise errors.Unavailable(f"The image of '{name}' did not reach the engine.")


def ask_local_study(member: Member) -> str:
    """The researcher of one node asks for registrations by region and year, of its own dataset; the hash."""
    node = open_node(member.directory)
    algorithm = wait_for_algorithm(node, "counts")
    researcher = who_token(node, member.token_file("rosa").read_text(encoding="utf-8"))
    dimensions = ["region", "year"]
    wanted = {
        "title": "Registrations by region and year",
        "question": "How many presumed victims were registered, by police region and year?",
        "purpose": "https://w3id.org/fairnode/policy#TraffickingStatistics",
        "legalBasis": ["https://w3id.org/dpv/legal/eu/gdpr#A6-1-e"],
        "algorithm": {"name": algorithm.name, "version": algorithm.version, "identity": algorithm.image},
        "datasets": [member.dataset],
        "dimensions": dimensions,
        "parameters": {"dimensions": dimensions},
        "stages": [{"name": "count", "kind": "visit"}],
    }
    return send(node, researcher, draft(node, researcher, wanted)).id


def ask_combined_study(home: Member, taking_part: list[Member]) -> str:
    """The home node's researcher asks all six for registrations by form, sex and age, combined; the hash."""
    node = open_node(home.directory)
    algorithm = wait_for_algorithm(node, "counts")
    dimensions = ["exploitationForm", "sex", "ageBroad"]
    datasets = wait_for_datasets(node, dimensions, len(taking_part))
    researcher = who_token(node, home.token_file("rosa").read_text(encoding="utf-8"))
    wanted = {
        "title": "Registrations by form of exploitation, sex and age group",
        "question": "How many registrations of presumed victims are there over all six organisations, by form "
        "of exploitation, sex and age group, 2010-2015?",
        "purpose": "https://w3id.org/fairnode/policy#TraffickingStatistics",
        "legalBasis": ["https://w3id.org/dpv/legal/eu/gdpr#A6-1-e"],
        "algorithm": {"name": algorithm.name, "version": algorithm.version, "identity": algorithm.image},
        "datasets": datasets,
        "dimensions": dimensions,
        "parameters": {"dimensions": dimensions},
        "stages": [
            {"name": "count", "kind": "visit"},
            {"name": "combine", "kind": "combine", "program": "sum", "inputs": ["count"]},
        ],
        "openings": ["combine"],
    }
    return send(node, researcher, draft(node, researcher, wanted)).id


MODELS = ("independent", "1-6", "1-4, 1-6", "1-4, 1-5, 1-6")
"""Registered before anything is opened: which of the six lists depend on the first one's, the police's."""
LONGEST_LIST = 5000


def ask_hidden_study(home: Member, taking_part: list[Member]) -> str:
    """The home node's researcher asks how many victims are on none of the six lists; the hash."""
    node = open_node(home.directory)
    algorithm = wait_for_algorithm(node, "linkage-keys")
    researcher = who_token(node, home.token_file("rosa").read_text(encoding="utf-8"))
    wanted = {
        "title": "How many victims nobody sees",
        "question": "How many presumed victims of trafficking, 2010-2015, were on none of these six lists?",
        "purpose": "https://w3id.org/fairnode/policy#PrevalenceEstimation",
        "legalBasis": ["https://w3id.org/dpv/legal/eu/gdpr#A6-1-e"],
        "algorithm": {"name": algorithm.name, "version": algorithm.version, "identity": algorithm.image},
        "datasets": [member.dataset for member in taking_part],
        **hidden_population("names", LONGEST_LIST, MODELS),
    }
    return send(node, researcher, draft(node, researcher, wanted)).id


def ask_refused_study(home: Member, refusing: Member) -> Follow:
    """The same researcher asks one organisation for what its policy forbids; what they are told."""
    node = open_node(home.directory)
    algorithm = wait_for_algorithm(node, "counts")
    researcher = who_token(node, home.token_file("rosa").read_text(encoding="utf-8"))
    dimensions = ["citizenship"]
    wanted = {
        "title": "Registrations by citizenship",
        "question": "From where are the presumed victims in shelters?",
        "purpose": "https://w3id.org/fairnode/policy#TraffickingStatistics",
        "legalBasis": ["https://w3id.org/dpv/legal/eu/gdpr#A6-1-e"],
        "algorithm": {"name": algorithm.name, "version": algorithm.version, "identity": algorithm.image},
        "datasets": [refusing.dataset],
        "dimensions": dimensions,
        "parameters": {"dimensions": dimensions},
        "stages": [{"name": "count", "kind": "visit"}],
    }
    study = send(node, researcher, draft(node, researcher, wanted)).id
    return wait_for_answer(node, study)


def wait_for_answer(node: Node, study: str, seconds: float = 60.0) -> Follow:
    """The first line of a study once its node has answered. Raises `Unavailable` when it does not."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        (line, *_) = follow(node, study)
        if line.sentence:
            return line
        time.sleep(0.1)
    raise errors.Unavailable("The organisation did not answer.")


def wait_for_datasets(node: Node, variables: list[str], number: int, seconds: float = 60.0) -> list[str]:
    """The IRIs of the datasets in the network that have these variables and the years 2010-2015."""
    wanted = Wanted(variables=tuple(variables), years=tuple(range(2010, 2016)))
    until = time.monotonic() + seconds
    while len(found := search(node, wanted)) < number and time.monotonic() < until:
        time.sleep(0.2)
    return [dataset.iri for dataset in found]


def approve_all(member: Member, study: str, seconds: float = 60.0) -> int:
    """Custodian and counsel of a node sign every waiting visit of a study; how many there were.

    None where the policy granted it before any person was asked.
    """
    node = open_node(member.directory)
    until = time.monotonic() + seconds
    waiting: list[Visit] = []
    while not waiting and time.monotonic() < until:
        with node.store.read() as reader:
            arrived = reader.find(Visit, {"study": study})
        waiting = [visit for visit in approvals.inbox(node) if visit.study == study]
        if arrived and not waiting:
            return 0
        time.sleep(0.1)
    for visit in waiting:
        for user, role in (("carla", "custodian"), ("lars", "counsel")):
            signer = signer_with_token(node, member.token_file(user).read_text(encoding="utf-8"))
            found = approvals.item(node, visit.id)
            approvals.approve(node, signer, visit.id, found.content_hash, role, "Read and agreed.")
    return len(waiting)


def wait_for_result(member: Member, study_id: str, seconds: float = 120.0) -> Told:
    """The study once it has ended, with what was released.

    Raises `Unavailable` when it takes longer, or nothing was released.
    """
    node = open_node(member.directory)
    until = time.monotonic() + seconds
    study = own_study(node, study_id)
    while not ended("study", study.state) and time.monotonic() < until:
        time.sleep(0.1)
        study = own_study(node, study_id)
    releases = tuple(releases_of(node, study.id))
    if not releases:
        raise errors.Unavailable(
            f"Nothing was released; the study is '{study.state}'.",
            to_do=f"Look into the logs in {member.directory}.",
        )
    return Told(study, releases)
