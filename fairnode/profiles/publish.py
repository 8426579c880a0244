"""A custodian publishes a profile: signed, put into a new version of the record, remembered by the gate."""

from __future__ import annotations

import shutil

from fairnode import clock, errors
from fairnode.approvals.statement import Signer
from fairnode.gate.histories import release_to_json
from fairnode.gate.step import person_set, person_set_draft
from fairnode.keys import PAYLOAD_TYPE, canonical, digest, envelope, pae
from fairnode.ledger.commit import Entry, commit
from fairnode.metadata.keep import change_dataset
from fairnode.metadata.profiled import profile_turtle, split_profile, with_profile
from fairnode.node import Node
from fairnode.profiles.measure import Measured
from fairnode.records.profile import profile_to_json
from fairnode.records.profile_rows import KeptProfile
from fairnode.records.rows import Dataset, Earlier, Person, Role
from fairnode.store.database import Transaction

STATEMENT = "https://w3id.org/fairnode/profile/1"


def may_publish(person: Person) -> bool:
    """Whether a person may publish profiles."""
    return person.active and Role.CUSTODIAN in person.roles


def check_may_publish(person: Person) -> None:
    """Raise `NotAllowed` unless `may_publish`."""
    if not may_publish(person):
        raise errors.NotAllowed("Only the custodian sees and publishes what a dataset's profile would tell.")


def block_of(dataset: Dataset, measured: Measured) -> bytes:
    """The Turtle that would stand in the record."""
    return profile_turtle(dataset.iri, measured.profile)


def publish(node: Node, signer: Signer, dataset: Dataset, measured: Measured, seen: str) -> Dataset:
    """Put a profile into the record; `seen` is the hash of the block that the custodian looked at.

    Raises `NotAllowed`, `Conflict` when something else would be published by now, and what keeping a record
    raises.
    """
    check_may_publish(signer.person)
    block = block_of(dataset, measured)
    if digest(block) != seen:
        raise errors.Conflict(
            "What would be published is no longer what you saw.",
            to_do=f"Look again: fairnode dataset profile {dataset.id}",
        )
    if measured.memory is not None:
        _remember(node, signer, dataset, measured)
    elif not _known(node, block):
        _keep(node, signer, dataset, measured)
    return change_dataset(node, dataset.id, signer.person.id, turtle=with_profile(dataset.record, block))


def withdraw(node: Node, person: Person, dataset: Dataset) -> Dataset:
    """Take the profile off the record. What was told stays told: the gate goes on remembering it."""
    check_may_publish(person)
    plain, block = split_profile(dataset.record)
    if not block:
        raise errors.Conflict("The record of this dataset has no profile.")
    return change_dataset(node, dataset.id, person.id, turtle=plain)


def _known(node: Node, block: bytes) -> bool:
    """Whether this very block was made before."""
    with node.store.read() as reader:
        return bool(reader.find(KeptProfile, {"sha256": digest(block)}))


def _remember(node: Node, signer: Signer, dataset: Dataset, measured: Measured) -> None:
    """First what the gate must know, then the profile: a crash between the two forgets no release."""
    assert measured.memory is not None, "only a profile that tells something new is remembered"
    facts = release_to_json(measured.memory)
    _keep_person_set(node, dataset, measured)
    row = _row(node, signer, dataset, measured)

    def change(tx: Transaction) -> KeptProfile:
        tx.add(Earlier(measured.id, dataset.lineage, facts, row.created))
        return tx.add(row)

    commit(node.desk, change, _entry(row))


def _keep(node: Node, signer: Signer, dataset: Dataset, measured: Measured) -> None:
    """A profile that tells nothing new, such as one of fewer variables."""
    row = _row(node, signer, dataset, measured)
    commit(node.desk, lambda tx: tx.add(row), _entry(row))


def _entry(row: KeptProfile) -> Entry:
    return Entry("profile.published", row.id, row.person, facts={"profile": row.sha256})


def _row(node: Node, signer: Signer, dataset: Dataset, measured: Measured) -> KeptProfile:
    """The profile with the custodian's signature and the node's."""
    block = block_of(dataset, measured)
    payload = canonical(
        {
            "type": STATEMENT,
            "dataset": dataset.iri,
            "lineage": dataset.lineage,
            "profile": digest(block),
            "rules": measured.profile.rules,
            "person": signer.person.id,
            "at": clock.now(),
        }
    )
    message = pae(PAYLOAD_TYPE, payload)
    signatures = {
        node.keys.public: node.keys.signing.sign(message),
        signer.public: signer.sign(message),
    }
    return KeptProfile(
        id=measured.id,
        dataset=dataset.iri,
        lineage=dataset.lineage,
        block=block,
        sha256=digest(block),
        profile=profile_to_json(measured.profile),
        envelope=envelope(payload, signatures),
        person=signer.person.id,
        created=clock.now(),
    )


def _keep_person_set(node: Node, dataset: Dataset, measured: Measured) -> None:
    """Keep who stood in which cell (keyed hashes), for comparison with later releases (P6)."""
    draft, target = person_set_draft(node, measured.id), person_set(node, dataset.lineage, measured.id)
    if draft.exists():
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = target.with_suffix(".part")
        shutil.copyfile(draft, part)
        part.replace(target)
        draft.unlink()
