"""One opened node: its settings, its database and its keys, handed to every step."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from fairnode.child import Spare
from fairnode.config import Config, load_config
from fairnode.disclosure.rules import RuleSet, own_rules
from fairnode.keys import NodeKeys, load_node_keys
from fairnode.ledger.commit import Desk
from fairnode.store.database import Store, open_store


@dataclass(frozen=True)
class Node:
    """What a step needs to know of the node it runs at; `spare` is for its jobs on data."""

    config: Config
    store: Store
    keys: NodeKeys
    spare: Spare = field(default_factory=Spare)

    @property
    def iri(self) -> str:
        """The IRI by which the node is known."""
        return self.config.iri

    @property
    def rules(self) -> RuleSet:
        """The disclosure rules of this node: the floor, or stricter. A combined study has the agreement's."""
        return own_rules(self.config.rules)

    @property
    def desk(self) -> Desk:
        """What `fairnode.ledger.commit` needs."""
        return Desk(self.store, self.keys, self.config.iri)

    def close(self) -> None:
        """Let go of the database and of a process that waits for a job."""
        self.spare.end()
        self.store.close()


def open_node(directory: Path) -> Node:
    """The node in `directory`. Raises `NotFound`, `NotValid` or `Unavailable` with what to do."""
    config = load_config(directory)
    own_rules(config.rules)  # a rule that cannot be is found at the start, not at the first verdict
    return Node(config, open_store(config.database), load_node_keys(config.keys))
