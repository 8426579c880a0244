"""Pieces of correction blocks (P13): kept once by who dealt them, fetched one by one by parties that hold them.

A piece is sealed, and known by its SHA-256, so it may be fetched again, from whoever has it, in any order. A
member without a port leaves its pieces with its host, once for all parties.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from fairnode import errors
from fairnode.keys import digest
from fairnode.network.agreement import Agreement, Member
from fairnode.node import Node
from fairnode.records.piece import Piece
from fairnode.records.rows import Share
from fairnode.store.database import Reader, Transaction

LARGEST_PIECE = 1 << 21
MOST_PIECES = 2048
"""Of one block: what the longest dealing has, and some."""


def check_pieces(told: object) -> list[str]:
    """The pieces that a share names. Raises `NotValid` for what is no list of digests."""
    if not isinstance(told, list) or len(told) > MOST_PIECES:
        raise errors.NotValid("A share does not name the pieces of its block.")
    for name in told:
        if not isinstance(name, str) or len(name) != 64 or set(name) - set("0123456789abcdef"):
            raise errors.NotValid("A share names a piece of its block by something else than its digest.")
    return list(told)


def keep_block(node: Node, study: str, pieces: Iterable[bytes]) -> None:
    """Keep the block of this node's own dealing, in the place of one that it dealt before for the study."""
    before = _ids_of(node, study=study, sender=node.iri)
    for content in pieces:
        keep_piece(node, Piece(digest(content), study, node.iri, content))
    with node.store.write() as tx:
        tx.remove_ids(Piece, before)


def keep_piece(node: Node, piece: Piece) -> bool:
    """Keep a piece if it is not here; whether it was news. Raises `NotValid` if it is not what its name says."""
    if len(piece.content) > LARGEST_PIECE or digest(piece.content) != piece.id:
        raise errors.NotValid("A piece of a block is not the one that it is said to be.")
    with node.store.write() as tx:
        if tx.ids(Piece, id=piece.id):
            return False
        tx.add(piece)
    return True


def missing(reader: Reader, share: Share) -> list[str]:
    """The pieces of a share's block that are not here yet, in order."""
    here = reader.ids(Piece, id=tuple(share.pieces))
    return [name for name in share.pieces if name not in here]


def wanted_from(node: Node, sender: str) -> list[tuple[str, str]]:
    """The pieces that this party still has to fetch of a member's dealings: study and digest."""
    with node.store.read() as reader:
        return [
            (share.study, name)
            for share in reader.find(Share, {"sender": sender})
            for name in missing(reader, share)
        ]


def piece_for(node: Node, agreement: Agreement, caller: Member, name: str) -> bytes | None:
    """A piece that is here, for a compute party; None if it is not here. Raises `NotAllowed`."""
    if caller.node not in {agreement.of_organisation(p.organisation).node for p in agreement.parties}:
        raise errors.NotAllowed("Only compute parties fetch pieces of a block.")
    with node.store.read() as reader:
        piece = reader.get(Piece, name)
    return piece.content if piece else None


def write_block(reader: Reader, share: Share, path: Path) -> None:
    """Put the pieces of a share together in a file. Raises `NotFound` if one is gone."""
    with path.open("wb") as file:
        for name in share.pieces:
            piece = reader.get(Piece, name)
            if piece is None:
                raise errors.NotFound("A piece of a contributor's block is not here any more.")
            file.write(piece.content)


def remove_pieces(tx: Transaction, shares: Iterable[Share] = (), study: str = "") -> None:
    """Remove the pieces of these shares, and all those of a study."""
    tx.remove_ids(Piece, {name for share in shares for name in share.pieces})
    if study:
        tx.remove_ids(Piece, tx.ids(Piece, study=study))


def own_pieces(node: Node) -> set[str]:
    """The pieces of this node's own dealings: what its host is to have."""
    return _ids_of(node, sender=node.iri)


def keep_hosted_only(node: Node, member: Member, names: Iterable[str]) -> list[str]:
    """Drop the pieces of a hosted member that it does not name; which of those that it names are not here."""
    wanted = set(check_pieces(list(names)))
    here = _ids_of(node, sender=member.node)
    with node.store.write() as tx:
        tx.remove_ids(Piece, here - wanted)
    return sorted(wanted - here)


def _ids_of(node: Node, **where: str) -> set[str]:
    with node.store.read() as reader:
        return reader.ids(Piece, **where)
