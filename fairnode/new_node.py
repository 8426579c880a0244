"""Making a new node: its settings, its keys, and an empty database with the first line of its ledger."""

from __future__ import annotations

from fairnode.config import Config, write_config
from fairnode.keys import make_node_keys
from fairnode.ledger.commit import Entry, commit
from fairnode.network.certificate import make_certificate
from fairnode.node import open_node
from fairnode.store.migrate import migrate


def make_node(config: Config) -> str:
    """Leave a complete new node in its directory; its public key (hex).

    Raises `NotValid` for settings that cannot be, `Conflict` where there is a node already.
    """
    write_config(config)
    make_node_keys(config.keys)
    make_certificate(config.keys, config.name)
    migrate(config.database)
    config.spool.mkdir(mode=0o700, exist_ok=True)
    node = open_node(config.directory)
    commit(node.desk, lambda _: None, Entry("node.made", node.iri, "node", facts={"key": node.keys.public}))
    node.close()
    return node.keys.public
