"""The append-only log of everything that happened at this node, and the only way to write records.

`commit` puts a change of records, its ledger line and the messages about it into one transaction, so that
none of them is ever there without the others. The log is a Merkle tree (RFC 9162) with a signed head after
each line; other nodes keep our heads, which is what makes rewriting visible.
"""

from fairnode.ledger.commit import Entry, Outgoing, commit
from fairnode.ledger.verify import Report, verify_ledger

__all__ = ["Entry", "Outgoing", "Report", "commit", "verify_ledger"]
