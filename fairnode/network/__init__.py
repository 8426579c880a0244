"""The network: the agreement that its members signed, and the mailboxes through which they speak.

No agreement, no peers: a node serves and believes only members of the agreement that it holds as valid.
"""
