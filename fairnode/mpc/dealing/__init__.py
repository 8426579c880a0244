"""Dealing inputs from outside (P13): an input party needs outgoing HTTPS only, once, at any time.

`deal` makes one sealed package a compute party and one correction block for all; `receive` makes of them
a party's rows. Masks come from 16-byte seeds, so an input of a million values is 8 MB to upload whatever
the number of compute parties.
"""

from fairnode.mpc.dealing.blocks import PIECE, piece_digest, pieces_of
from fairnode.mpc.dealing.deal import deal
from fairnode.mpc.dealing.receive import ReceiveKeys, Rows, receive
from fairnode.mpc.dealing.rings import P61, Ring, SeedRow, Words
from fairnode.mpc.dealing.subsets import Subset, held, holds_block, subsets, threshold
from fairnode.mpc.dealing.terms import Dealing, ReceiverKey, Terms, new_receiver_key

__all__ = [
    "P61",
    "PIECE",
    "Dealing",
    "ReceiveKeys",
    "ReceiverKey",
    "Ring",
    "Rows",
    "SeedRow",
    "Subset",
    "Terms",
    "Words",
    "deal",
    "held",
    "holds_block",
    "new_receiver_key",
    "piece_digest",
    "pieces_of",
    "receive",
    "subsets",
    "threshold",
]
