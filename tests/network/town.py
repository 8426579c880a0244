"""A small network in one process: real nodes, databases, keys and agreement; messages are carried by hand.

The counts of each node are the test's own, so no container engine is needed; everything after the gate is real.
"""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from fairnode import clock
from fairnode.combine import announce, compute
from fairnode.combine.contribute import step_ready
from fairnode.combine.ending import open_computed
from fairnode.combine.lists import answer
from fairnode.combine.ready import tell_ready
from fairnode.combine.standing import open_questions
from fairnode.config import Config, Organisation, Settings
from fairnode.demo.members import example, free_ports
from fairnode.demo.policies import granting_offer
from fairnode.gate.step import compared_with, read_case, step_quarantined
from fairnode.keys import digest
from fairnode.ledger.commit import Entry, Outgoing, commit
from fairnode.mpc.gateway import Gateway
from fairnode.mpc.party.start import WarmParties
from fairnode.network.agreement import ComputeParty, Member, Processing, write_agreement
from fairnode.network.certificate import certificate_fingerprint
from fairnode.network.joined import join, sign_agreement
from fairnode.network.mailbox import cursor_of, message_from_json, note_peer, waiting_for
from fairnode.network.pieces import keep_piece, wanted_from
from fairnode.new_node import make_node
from fairnode.node import Node, open_node
from fairnode.records.piece import Piece
from fairnode.records.result_json import contract_to_json
from fairnode.records.rows import (
    Algorithm,
    Computation,
    Dataset,
    Follow,
    PeerRecord,
    Person,
    Quarantine,
    Release,
    Visit,
)
from fairnode.records.states import VisitState
from fairnode.share import shared
from fairnode.studies.send import draft, send
from fairnode.visits.context import read_context
from fairnode.visits.view import make_view
from fairnode.worker.delivery import deliver_own, take_in

KEYS = ("police", "labour", "coordinators", "shelters", "kmar", "others")
HOME, PARTIES, HOSTED = "coordinators", ("police", "labour", "coordinators"), "shelters"
IDENTITY = "sha256:" + "ab" * 32
HTPOL = "https://w3id.org/fairnode/policy#"
PURPOSE = f"{HTPOL}TraffickingStatistics"
STEPS = (
    VisitState.PREPARING,
    VisitState.RUNNING,
    VisitState.QUARANTINED,
    VisitState.READY,
)


def make_nodes(folder: Path, keys: Sequence[str]) -> dict[str, Node]:
    """New nodes, each with a dataset whose policy grants what the tests ask, and a researcher."""
    ports = iter(free_ports(3 * len(keys)))
    web = {key: next(ports) for key in keys}
    nodes = {}
    for key in keys:
        organisation = next(o for o in example().ORGANISATIONS if o.key == key)
        config = Config(
            directory=folder / key,
            name=key,
            url=f"http://127.0.0.1:{web[key]}",
            host="127.0.0.1",
            port=web[key],
            organisation=Organisation(organisation.name, organisation.type),
            settings=replace(Settings(), release_slot=1),
            peer_port=0 if key == HOSTED else next(ports),
            compute_port=next(ports) if key in PARTIES else 0,
        )
        make_node(config)
        nodes[key] = open_node(config.directory)
    for key, node in nodes.items():
        _furnish(node, key, nodes[HOME].iri if HOME in nodes else node.iri)
    time.sleep(1.0)  # so that the sources are older, by the clock's seconds, than any visit
    return nodes


def _furnish(node: Node, key: str, home: str) -> None:
    """Dataset, algorithm and researcher, as rows: how they come to be is tested elsewhere."""
    now, iri = clock.now(), f"{node.iri}/dataset/{key}-victims"
    organisation = next(o for o in example().ORGANISATIONS if o.key == key)
    record = example().record(organisation, node.iri)
    record += granting_offer(
        iri, f"{home}/organisation", IDENTITY, ("exploitationForm", "sex", "ageBroad", "year", "region")
    )
    manifest = (shared("algorithms") / "counts" / "algorithm.toml").read_bytes()
    source = node.config.directory / "source.csv"
    source.write_text("planted\n", encoding="utf-8")
    rows = [
        Dataset(
            f"{key}-victims", iri, organisation.title, record.encode(), "",
            {"kind": "csv", "path": str(source)}, 1, "published", f"l-{key}", now, now,
        ),
        Algorithm("counts", "counts", "1.0.0", "Counts", manifest, digest(manifest), IDENTITY, "p-arjen", "known", now),
        Person("p-rosa", "rosa", "Rosa de Wit", "", ["researcher"], True, now),
    ]  # fmt: skip
    commit(node.desk, lambda tx: [tx.add(row) for row in rows], Entry("test.furnished", key, "operator"))


def card(node: Node, host: str = "") -> Member:
    """What an agreement says of a node."""
    config = node.config
    return Member(
        name=config.name,
        node=node.iri,
        organisation=f"{node.iri}/organisation",
        signing=node.keys.public,
        sealing=node.keys.sealing_public,
        certificate=certificate_fingerprint(config.keys),
        endpoint=f"https://127.0.0.1:{config.peer_port}" if config.peer_port else "",
        host=host,
    )


def processing(key: str, node: Node) -> Processing:
    """In which role and on what basis the others hold shares of a node's data."""
    regime = next(o.regime for o in example().ORGANISATIONS if o.key == key)
    return Processing(f"{node.iri}/organisation", "Processor", f"{HTPOL}{regime}", (f"{HTPOL}Wpg-A22",))


def agreement_of(nodes: dict[str, Node], **changes: Any) -> bytes:
    """The agreement of these nodes, but for the `changes`."""
    members = [card(node, nodes[HOME].iri if key == HOSTED else "") for key, node in nodes.items()]
    parties = [
        ComputeParty(
            number,
            f"{nodes[key].iri}/organisation",
            f"127.0.0.1:{nodes[key].config.compute_port}",
            processing=tuple(processing(other, nodes[other]) for other in nodes if other != key),
        )
        for number, key in enumerate(k for k in PARTIES if k in nodes)
    ]
    told = {
        "iri": "urn:uuid:00000000-0000-4000-8000-000000000001",
        "title": "A town",
        "members": members,
        "parties": parties if len(parties) == 3 else [],
        "purposes": [PURPOSE],
        "k": 11,
        "expires": clock.later(86400),
    }
    return write_agreement({**told, **changes})


def join_all(nodes: dict[str, Node], content: bytes) -> dict[str, str]:
    """Every node signs and joins; the signatures."""
    signatures = {node.iri: sign_agreement(node, content) for node in nodes.values()}
    for node in nodes.values():
        join(node, content, signatures, "p-lars")
    return signatures


@dataclass
class Town:
    """Nodes that hold one agreement; those in `down` neither send nor receive.

    `warm`, where there is one, is the server from which all parties' processes are forked.
    """

    nodes: dict[str, Node]
    down: set[str] = field(default_factory=set)
    warm: WarmParties | None = None
    ready_told: set[str] = field(default_factory=set)

    @property
    def home(self) -> Node:
        """The node from which studies are sent."""
        return self.nodes[HOME]

    def dataset(self, key: str) -> str:
        """The IRI of a node's dataset."""
        return f"{self.nodes[key].iri}/dataset/{key}-victims"

    def know_each_other(self) -> None:
        """The home node has harvested everybody's record."""
        for key, node in self.nodes.items():
            with node.store.read() as reader:
                row = reader.get(Dataset, f"{key}-victims")
            with self.home.store.write() as tx:
                if node is not self.home:
                    tx.add(PeerRecord(row.iri, node.iri, row.title, row.record, "", "published", clock.now()))

    def ask(self, keys: Iterable[str], dimensions: Sequence[str] = ("sex",), **changes: Any) -> str:
        """Send a study over these nodes, combined unless told otherwise; its hash."""
        wanted = {
            "title": "Registrations",
            "question": "How many registrations are there?",
            "purpose": PURPOSE,
            "legalBasis": ["https://w3id.org/dpv/legal/eu/gdpr#A6-1-e"],
            "algorithm": {"name": "counts", "version": "1.0.0", "identity": IDENTITY},
            "datasets": [self.dataset(key) for key in keys],
            "dimensions": list(dimensions),
            "parameters": {"dimensions": list(dimensions)},
            "stages": [
                {"name": "count", "kind": "visit"},
                {"name": "combine", "kind": "combine", "program": "sum", "inputs": ["count"]},
            ],
            "openings": ["combine"],
            **changes,
        }
        with self.home.store.read() as reader:
            rosa = reader.get(Person, "p-rosa")
        return send(self.home, rosa, draft(self.home, rosa, wanted)).id

    def carry(self) -> int:
        """Deliver every message between nodes that are up, until there is none; how many there were."""
        carried, before = 0, -1
        while carried != before:
            before = carried
            for key, node in self.nodes.items():
                if key in self.down:
                    continue
                tell_ready(node, self.ready_told)
                carried += deliver_own(node)
                carried += sum(self._carry(other, key) for other in self.nodes if other not in self.down)
        return carried

    def _carry(self, sender: str, receiver: str) -> int:
        """Deliver what one node has for another."""
        if sender == receiver:
            return 0
        here, there = self.nodes[receiver], self.nodes[sender]
        with there.store.read() as reader:
            found = waiting_for(reader, there, here.iri, cursor_of(here, there.iri))
        for told in found:
            message = message_from_json(told, card(there))
            take_in(here, there.iri, message)
            note_peer(here, there.iri, cursor=message.id)
        for study, name in wanted_from(here, there.iri):
            with there.store.read() as reader:
                piece = reader.get(Piece, name)
            if piece is not None:
                keep_piece(here, Piece(name, study, there.iri, piece.content))
        return len(found)

    def visit(self, key: str, study: str) -> Visit:
        """The visit of a study at a node."""
        with self.nodes[key].store.read() as reader:
            (visit,) = reader.find(Visit, {"study": study})
        return visit

    def count(self, key: str, study: str, counts: Sequence[int]) -> None:
        """As if the container had visited and its table was the node's own count of `counts`."""
        node, visit = self.nodes[key], self.visit(key, study)
        contract = contract_to_json(read_case(node, visit).contract)
        with node.store.read() as reader:
            earlier = compared_with(reader, f"l-{key}")
        body = {
            "dataset": self.dataset(key), "stage": visit.stage, "contract": contract, "earlier": earlier,
        }  # fmt: skip
        verdict = {"outcome": "combine", "counts": list(counts)}

        def change(tx: Any) -> None:
            row = visit
            for state in STEPS:
                row = tx.change(row, state=state, changed=clock.now())
            tx.add(Quarantine(visit.id, b"{}", "", verdict, clock.now()))

        commit(
            node.desk, change, Entry("test.counted", visit.id, "node", study),
            (Outgoing(self.home.iri, "ready", study, body),),
        )  # fmt: skip

    def deal(self, key: str, study: str) -> Visit:
        """The node's next step with its counts."""
        return step_ready(self.nodes[key], self.visit(key, study))

    def gather(self, counts: dict[str, Sequence[int]], **asked: Any) -> str:
        """Ask, count everywhere, announce, deal, and carry the shares; the hash of the study."""
        study = self.ask(counts, **asked)
        self.carry()
        for key, values in counts.items():
            self.count(key, study, values)
        self.carry()
        announce.step_combinations(self.home)
        self.carry()
        for key in counts:
            self.deal(key, study)
        self.carry()
        return study

    def compute(self, only: Sequence[str] = PARTIES) -> None:
        """Let the compute parties `only` run what is due, ask and hear, open, and carry what they report."""
        self.run(only)
        self.carry()
        self.answer()
        self.open(only)
        self.carry()

    def run(self, only: Sequence[str] = PARTIES) -> None:
        """Let the compute parties `only` run what is due, side by side; the outputs lie with them."""
        work = []
        with ExitStack() as stack:
            for key in only:
                node = self.nodes[key]
                gate = Gateway("127.0.0.1", node.config.compute_port, compute.sockets(node))
                stack.enter_context(gate)
                for due in compute.due_computations(node):
                    running = compute.mark_running(node, due)
                    work.append(threading.Thread(target=compute.compute, args=(node, running, self.warm)))
            for thread in work:
                thread.start()
            for thread in work:
                thread.join()

    def answer(self, keys: Iterable[str] = ()) -> None:
        """Let nodes (all that are up, unless told) answer what compute parties ask, and carry that."""
        for key in keys or [k for k in self.nodes if k not in self.down]:
            for question in open_questions(self.nodes[key]):
                answer(self.nodes[key], question)
        self.carry()

    def open(self, only: Sequence[str] = PARTIES) -> int:
        """Let compute parties send off what may be opened; how many did, or asked again."""
        return sum(open_computed(self.nodes[key]) for key in only)

    def visit_file(self, key: str, study: str, counted: Mapping[tuple[str, ...], int]) -> Visit:
        """The view is made of the node's case file, the container writes what was `counted`, the gate recounts."""
        node, visit = self.nodes[key], self.visit(key, study)
        made = make_view(read_context(node, visit))
        (spec,) = read_case(node, visit).contract.tables
        cells = [{"k": list(k), "n": counted.get(k, 0)} for k in spec.keys()]  # noqa: SIM118 (no mapping)
        told = {"type": "fairnode.result/1", "tables": [{"id": spec.id, "cells": cells}]}

        def change(tx: Any) -> Visit:
            row = tx.change(visit, snapshot=str(made["sha256"]))
            for state in STEPS[:-1]:
                row = tx.change(row, state=state, changed=clock.now())
            tx.add(Quarantine(visit.id, json.dumps(told).encode(), "", {}, clock.now()))
            return row

        ran = commit(node.desk, change, Entry("test.ran", visit.id, "node", study))
        after = step_quarantined(node, ran)
        shutil.rmtree(read_context(node, visit).folder)
        return after

    def finish(self, study: str) -> list[Release]:
        """Let the home node take its step, carry the end to everybody; what was released."""
        announce.step_combinations(self.home)
        self.carry()
        return self.released(study)

    def released(self, study: str) -> list[Release]:
        """What the home node released of a study."""
        with self.home.store.read() as reader:
            return reader.find(Release, {"study": study})

    def lines(self, study: str) -> list[Follow]:
        """What the researcher sees of a study."""
        with self.home.store.read() as reader:
            return reader.find(Follow, {"study": study})

    def combination(self, study: str) -> Computation:
        """The home node's row of the combination."""
        with self.home.store.read() as reader:
            return next(c for c in reader.find(Computation, {"study": study}) if c.id.startswith("home#"))
