"""Who decides whether a visit may run: the policy alone, or people who sign exactly its content.

Takes visits that were received; leaves them approved, refused, waiting or asked back, with signed
`Approval` rows. `check_approved` is asked again by the worker right before the start.
"""

from fairnode.approvals.check import check_approved
from fairnode.approvals.content import approval_content
from fairnode.approvals.decide import (
    Item,
    approve,
    as_signed,
    ask_back,
    check_may_decide,
    inbox,
    item,
    known_names,
    may_decide,
    refuse,
    revoke,
)
from fairnode.approvals.grant import grant_by_policy
from fairnode.approvals.rehearsal import rehearsal_of
from fairnode.approvals.statement import Signer

__all__ = [
    "Item",
    "Signer",
    "approval_content",
    "approve",
    "as_signed",
    "ask_back",
    "check_approved",
    "check_may_decide",
    "grant_by_policy",
    "inbox",
    "item",
    "known_names",
    "may_decide",
    "refuse",
    "rehearsal_of",
    "revoke",
]
