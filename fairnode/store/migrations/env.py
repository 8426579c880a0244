"""Alembic's way into the node's database: the connection is handed in by `fairnode.store.migrate`."""

from alembic import context

from fairnode.store.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"], target_metadata=METADATA, render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()
