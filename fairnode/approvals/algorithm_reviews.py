"""Reviews of algorithms: signed statements about one image and its manifest, which other nodes can import.

A review is bound to the digests of image and manifest, so that of a new version nobody has said anything yet.
Whose reviews count at a node is that node's own list. Nobody reviews what they handed in.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, TypeVar

from fairnode import clock, errors
from fairnode.approvals.statement import STATEMENT_TYPE, Signer, sign_statement
from fairnode.keys import canonical, open_envelope
from fairnode.ledger.commit import Entry, commit
from fairnode.node import Node
from fairnode.records.algorithm_review import AlgorithmReview, TrustedNode
from fairnode.records.rows import Algorithm, Person, Role
from fairnode.store.database import Transaction

PREDICATE_TYPE = "https://w3id.org/fairnode/algorithm-review/1"
APPROVED, REFUSED = "approved", "changes requested"
REVIEWING = frozenset((Role.AUTHOR, Role.CUSTODIAN, Role.COUNSEL))
LARGEST = 64 * 1024


@dataclass(frozen=True)
class Standing:
    """What was said of an algorithm: valid reviews of this very image, and those of its other versions."""

    valid: tuple[AlgorithmReview, ...]
    void: tuple[AlgorithmReview, ...]

    @property
    def against(self) -> frozenset[str]:
        """The organisations of which somebody asked for changes."""
        return frozenset(r.organisation for r in self.valid if r.opinion != APPROVED)

    @property
    def approving(self) -> frozenset[str]:
        """The organisations of which somebody approved and nobody asked for changes."""
        return frozenset(r.organisation for r in self.valid) - self.against


def check_may_review(person: Person, algorithm: Algorithm) -> None:
    """Raise `NotAllowed` unless `person` may review this algorithm."""
    if not person.active or not REVIEWING & set(person.roles):
        raise errors.NotAllowed("Only authors, custodians and counsel review algorithms.")
    if person.id == algorithm.author:
        raise errors.NotAllowed("Nobody reviews what they handed in themselves.")


def review(
    node: Node, signer: Signer, algorithm: Algorithm, opinion: str, note: str, reproduced: str = ""
) -> AlgorithmReview:
    """Sign an opinion on exactly this image and manifest; a second one of the same person replaces the first.

    `reproduced` is the identity of the image that the reviewer made from the source, if they did.
    Raises `NotAllowed` for who may not, `NotValid` for a refusal without a reason, or another image.
    """
    check_may_review(signer.person, algorithm)
    if opinion != APPROVED and not note.strip():
        raise errors.NotValid("Say what must change, in a sentence for the author.")
    if reproduced and reproduced != algorithm.image:
        raise errors.NotValid(
            f"The source makes another image, {reproduced}; the algorithm's is {algorithm.image}."
        )
    told = {
        "reproduced": reproduced,
        "opinion": opinion,
        "note": note,
        "organisation": f"{node.iri}/organisation",
        "node": node.keys.public,
        "reviewer": signer.person.id,
        "key": signer.public,
        "at": clock.now(),
    }
    return _keep(node, signer.person.id, sign_statement(_statement(algorithm, told), signer, node.keys))


def take_in(node: Node, person: Person, sealed: bytes) -> AlgorithmReview:
    """Keep a review from another node, if that node is on the trust list here.

    Raises `NotAllowed` for a node that is not, or for who may not take reviews in; `NotValid` for an envelope
    that is damaged, signed by somebody else than it says, or about an algorithm that is not known here.
    """
    _check_keeps_the_list(person)
    if len(sealed) > LARGEST:
        raise errors.NotValid("The review is too large to be one.")
    claimed = _claimed_node(sealed)
    with node.store.read() as reader:
        trusted = reader.get(TrustedNode, claimed)
    if trusted is None:
        raise errors.NotAllowed(
            "The node that signed this review is not on the trust list here.",
            to_do="fairnode algorithm trust KEY --name NAME",
        )
    told = _open(sealed, claimed)
    with node.store.read() as reader:
        known = reader.find(Algorithm, {"image": told["image"]})
    if not any(algorithm.sha256 == told["manifest"] for algorithm in known):
        raise errors.NotValid("The review is about an image or a manifest that is not known here.")
    return _keep(node, person.id, sealed)


def trust(node: Node, person: Person, key: str, name: str) -> TrustedNode:
    """Let reviews of a node count here, by its public key (hex)."""
    _check_keeps_the_list(person)
    if not _is_key(key):
        raise errors.NotValid("A node's public key is 64 digits and letters a-f.", to_do="fairnode doctor")
    row = TrustedNode(key, name, clock.now())
    entry = Entry("reviews.trusted", key, person.id, facts={"name": name})
    return commit(node.desk, lambda tx: _put(tx, row), entry)


def distrust(node: Node, person: Person, key: str) -> TrustedNode:
    """Let reviews of a node count here no longer. Raises `NotFound` for one that is not on the list."""
    _check_keeps_the_list(person)

    def change(tx: Transaction) -> TrustedNode:
        row = tx.get(TrustedNode, key)
        if row is None:
            raise errors.NotFound(
                "No such node is on the trust list here.", to_do="fairnode algorithm trusted"
            )
        tx.remove(row)
        return row

    return commit(node.desk, change, Entry("reviews.distrusted", key, person.id))


def trusted(node: Node) -> list[TrustedNode]:
    """The other nodes whose people's reviews count here, by name."""
    with node.store.read() as reader:
        return reader.find(TrustedNode, order="name")


def trusted_keys(node: Node) -> list[str]:
    """The public keys of the nodes whose people's reviews count here, its own among them, in order."""
    return sorted({row.id for row in trusted(node)} | {node.keys.public})


def standing(node: Node, algorithm: Algorithm) -> Standing:
    """The reviews that count for this algorithm now, and those of other versions, which no longer do."""
    with node.store.read() as reader:
        versions = {a.image: a for a in reader.find(Algorithm, {"name": algorithm.name})}
        reviews = [r for image in versions for r in reader.find(AlgorithmReview, {"image": image})]
    keys = trusted_keys(node)
    counted = [r for r in reviews if r.node in keys]
    same = [r for r in counted if (r.image, r.manifest) == (algorithm.image, algorithm.sha256)]
    return Standing(tuple(same), tuple(r for r in counted if r not in same))


def _is_key(text: str) -> bool:
    """Whether it can be a public key in hex."""
    return len(text) == 64 and not set(text) - set("0123456789abcdef")


def _check_keeps_the_list(person: Person) -> None:
    if not person.active or Role.CUSTODIAN not in person.roles:
        raise errors.NotAllowed("Only custodians decide whose reviews count here.")


def _statement(algorithm: Algorithm, told: dict[str, Any]) -> bytes:
    digests = (("image", algorithm.image.removeprefix("sha256:")), ("manifest", algorithm.sha256))
    return canonical(
        {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": name, "digest": {"sha256": digest}} for name, digest in digests],
            "predicateType": PREDICATE_TYPE,
            "predicate": told,
        }
    )


def _claimed_node(sealed: bytes) -> str:
    """The key of the node that an envelope says it is from; nothing is believed of it yet."""
    return str(_told(open_envelope(sealed, ()))["node"])


def _open(sealed: bytes, node: str) -> dict[str, Any]:
    """What an envelope says that this node and the reviewer's key signed. Raises `NotValid`."""
    key = _told(open_envelope(sealed, ()))["key"]
    return _told(open_envelope(sealed, (node, key)))


def _told(payload: bytes) -> dict[str, Any]:
    try:
        told = json.loads(payload)
        digests = {subject["name"]: subject["digest"]["sha256"] for subject in told["subject"]}
        said = {name: str(told["predicate"][name]) for name in _SAID}
        right = told["_type"] == STATEMENT_TYPE and told["predicateType"] == PREDICATE_TYPE
        image, manifest = f"sha256:{digests['image']}", str(digests["manifest"])
    except (ValueError, KeyError, TypeError) as error:
        raise errors.NotValid("This is not a review of an algorithm.") from error
    right = right and _is_key(said["node"]) and _is_key(said["key"]) and said["reproduced"] in ("", image)
    if not right or said["opinion"] not in (APPROVED, REFUSED):
        raise errors.NotValid("This is not a review of an algorithm.")
    return {**said, "image": image, "manifest": manifest}


_SAID = ("opinion", "note", "reproduced", "organisation", "node", "reviewer", "key", "at")


def _keep(node: Node, actor: str, sealed: bytes) -> AlgorithmReview:
    told = _told(open_envelope(sealed, ()))
    row = AlgorithmReview(
        id=f"{told['image']}#{told['node'][:16]}#{told['reviewer']}",
        image=told["image"],
        manifest=told["manifest"],
        opinion=told["opinion"],
        note=told["note"],
        reproduced=bool(told["reproduced"]),
        organisation=told["organisation"],
        node=told["node"],
        reviewer=told["reviewer"],
        envelope=sealed,
        created=told["at"],
    )
    facts = {"image": row.image, "opinion": row.opinion, "organisation": row.organisation}
    facts |= {"reproduced": "yes"} if row.reproduced else {}
    entry = Entry("algorithm.reviewed", row.image, actor, facts=facts)
    return commit(node.desk, lambda tx: _put(tx, row), entry)


_Row = TypeVar("_Row", AlgorithmReview, TrustedNode)


def _put(tx: Transaction, row: _Row) -> _Row:
    """The row instead of the one with the same id, if there is one."""
    before = tx.get(type(row), row.id)
    if before is not None:
        tx.remove(before)
    return tx.add(row)
