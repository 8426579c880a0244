"""First tables"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database to this revision."""
    op.create_table(
        "agreements",
        sa.Column("id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("document", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("signatures", sa.JSON(), autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("created", sa.Text(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("agreements", schema=None) as batch_op:
        batch_op.create_index("agreements_by_state", ["state"], unique=False)

    op.create_table(
        "algorithm_reviews",
        sa.Column("id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("image", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("manifest", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("opinion", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("note", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("reproduced", sa.Boolean(), autoincrement=False, nullable=False),
        sa.Column("organisation", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("node", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("reviewer", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("envelope", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("created", sa.Text(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("algorithm_reviews", schema=None) as batch_op:
        batch_op.create_index("algorithm_reviews_by_image", ["image"], unique=False)

    op.create_table(
        "algorithms",
        sa.Column("id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("title", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("manifest", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("sha256", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("image", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("author", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("created", sa.Text(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("algorithms", schema=None) as batch_op:
        batch_op.create_index("algorithms_by_name", ["name"], unique=False)

    op.create_table(
        "approvals",
        sa.Column("id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("visit", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("person", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("role", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("decision", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("content", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("envelope", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("note", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("created", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("expires", sa.Text(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("approvals", schema=None) as batch_op:
        batch_op.create_index("approvals_by_visit", ["visit"], unique=False)

    op.create_table(
        "charges",
        sa.Column("id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("lineage", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("requester", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("epsilon", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("created", sa.Text(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("charges", schema=None) as batch_op:
        batch_op.create_index("charges_by_lineage", ["lineage"], unique=False)

    op.create_table(
        "computations",
        sa.Column("id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("study", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("stage", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("facts", sa.JSON(), autoincrement=False, nullable=False),
        sa.Column("changed", sa.Text(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("computations", schema=None) as batch_op:
        batch_op.create_index("computations_by_state", ["state"], unique=False)
        batch_op.create_index("computations_by_study", ["study"], unique=False)

    op.create_table(
        "dataset_versions",
        sa.Column("id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("dataset", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("record", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("sha256", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("created", sa.Text(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("dataset_versions", schema=None) as batch_op:
        batch_op.create_index("dataset_versions_by_dataset", ["dataset"], unique=False)

    op.create_table(
        "datasets",
        sa.Column("id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("iri", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("title", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("record", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("sha256", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("source", sa.JSON(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("lineage", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("created", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("changed", sa.Text(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("datasets", schema=None) as batch_op:
        batch_op.create_index("datasets_by_iri", ["iri"], unique=False)

    op.create_table(
        "earlier",
        sa.Column("id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("lineage", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("facts", sa.JSON(), autoincrement=False, nullable=False),
        sa.Column("created", sa.Text(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("earlier", schema=None) as batch_op:
        batch_op.create_index("earlier_by_lineage", ["lineage"], unique=False)

    op.create_table(
        "follows",
        sa.Column("id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("study", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("node", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("dataset", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("stage", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("sentence", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("release", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("changed", sa.Text(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("follows", schema=None) as batch_op:
        batch_op.create_index("follows_by_study", ["study"], unique=False)

    op.create_table(
        "heads",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("root", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("peaks", sa.JSON(), autoincrement=False, nullable=False),
        sa.Column("at", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("signature", sa.Text(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "hosted",
        sa.Column("id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("sender", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("receiver", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("study", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("body", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("signature", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("created", sa.Text(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("hosted", schema=None) as batch_op:
        batch_op.create_index("hosted_by_sender_number", ["sender", "number"], unique=False)

    op.create_table(
        "ledger",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("subject", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("study", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("body", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("leaf", sa.Text(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("ledger", schema=None) as batch_op:
        batch_op.create_index("ledger_by_study", ["study"], unique=False)
        batch_op.create_index("ledger_by_subject", ["subject"], unique=False)

    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("receiver", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("study", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("body", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("signature", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("created", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("taken", sa.Text(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index("outbox_by_receiver", ["receiver"], unique=False)
        batch_op.create_index("outbox_by_taken", ["taken"], unique=False)

    op.create_table(
        "peer_heads",
        sa.Column("id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("node", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("size", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("root", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("at", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("signature", sa.Text(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("peer_heads", schema=None) as batch_op:
        batch_op.create_index("peer_heads_by_node", ["node"], unique=False)

    op.create_table(
        "peer_records",
        sa.Column("id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("node", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("title", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("record", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("sha256", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("changed", sa.Text(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("peer_records", schema=None) as batch_op:
        batch_op.create_index("peer_records_by_node", ["node"], unique=False)

    op.create_table(
        "peers",
        sa.Column("id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("cursor", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seen", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("trouble", sa.Text(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "people",
        sa.Column("id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("username", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("password_hash", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("roles", sa.JSON(), autoincrement=False, nullable=False),
        sa.Column("active", sa.Boolean(), autoincrement=False, nullable=False),
        sa.Column("created", sa.Text(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("people", schema=None) as batch_op:
        batch_op.create_index("people_by_username", ["username"], unique=False)

    op.create_table(
        "person_keys",
        sa.Column("id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("person", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("public", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("created", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("revoked", sa.Text(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("person_keys", schema=None) as batch_op:
        batch_op.create_index("person_keys_by_person", ["person"], unique=False)

    op.create_table(
        "pieces",
        sa.Column("id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("study", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("sender", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("content", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("pieces", schema=None) as batch_op:
        batch_op.create_index("pieces_by_sender", ["sender"], unique=False)
        batch_op.create_index("pieces_by_study", ["study"], unique=False)

    op.create_table(
        "profiles",
        sa.Column("id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("dataset", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("lineage", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("block", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("sha256", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("profile", sa.JSON(), autoincrement=False, nullable=False),
        sa.Column("envelope", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("person", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("created", sa.Text(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("profiles", schema=None) as batch_op:
        batch_op.create_index("profiles_by_dataset", ["dataset"], unique=False)

    op.create_table(
        "quarantines",
        sa.Column("id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("result", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("sha256", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("verdict", sa.JSON(), autoincrement=False, nullable=False),
        sa.Column("created", sa.Text(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "received",
        sa.Column("id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("sender", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("created", sa.Text(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "receiver_secrets",
        sa.Column("id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("secret", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("public", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("created", sa.Text(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "rehearsals",
        sa.Column("id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("report", sa.JSON(), autoincrement=False, nullable=False),
        sa.Column("created", sa.Text(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "releases",
        sa.Column("id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("study", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("stage", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("dataset", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("lineage", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("table", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("sha256", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("signature", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("facts", sa.JSON(), autoincrement=False, nullable=False),
        sa.Column("created", sa.Text(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("releases", schema=None) as batch_op:
        batch_op.create_index("releases_by_lineage", ["lineage"], unique=False)
        batch_op.create_index("releases_by_study", ["study"], unique=False)

    op.create_table(
        "repeats",
        sa.Column("id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("request", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("status", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("answer", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("created", sa.Text(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "requests",
        sa.Column("id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("document", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("home", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("received", sa.Text(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "reruns",
        sa.Column("id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("visit", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("deadline", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("result", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("created", sa.Text(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("reruns", schema=None) as batch_op:
        batch_op.create_index("reruns_by_visit", ["visit"], unique=False)

    op.create_table(
        "reviews",
        sa.Column("id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("visit", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("person", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("role", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("opinion", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("result", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("note", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("envelope", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("created", sa.Text(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("reviews", schema=None) as batch_op:
        batch_op.create_index("reviews_by_visit", ["visit"], unique=False)

    op.create_table(
        "sessions",
        sa.Column("id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("person", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("csrf", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("created", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("expires", sa.Text(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "shares",
        sa.Column("id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("study", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("sender", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("package", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("pieces", sa.JSON(), autoincrement=False, nullable=False),
        sa.Column("created", sa.Text(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("shares", schema=None) as batch_op:
        batch_op.create_index("shares_by_study", ["study"], unique=False)

    op.create_table(
        "studies",
        sa.Column("id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("urn", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("title", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("document", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("requester", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("created", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("expires", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("changed", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("follows", sa.Text(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("studies", schema=None) as batch_op:
        batch_op.create_index("studies_by_requester", ["requester"], unique=False)
        batch_op.create_index("studies_by_state", ["state"], unique=False)

    op.create_table(
        "tokens",
        sa.Column("id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("person", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("token_hash", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("label", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("created", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("expires", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("revoked", sa.Text(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("tokens", schema=None) as batch_op:
        batch_op.create_index("tokens_by_person", ["person"], unique=False)
        batch_op.create_index("tokens_by_token_hash", ["token_hash"], unique=False)

    op.create_table(
        "trusted_nodes",
        sa.Column("id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("created", sa.Text(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "twins",
        sa.Column("id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("basis", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("rows", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("profiled", sa.Boolean(), autoincrement=False, nullable=False),
        sa.Column("files", sa.JSON(), autoincrement=False, nullable=False),
        sa.Column("created", sa.Text(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "visits",
        sa.Column("id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("study", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("stage", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("dataset", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("algorithm", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("sentence", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("internal", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("created", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("changed", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("expires", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("deadline", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("snapshot", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("facts", sa.JSON(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("visits", schema=None) as batch_op:
        batch_op.create_index("visits_by_state", ["state"], unique=False)
        batch_op.create_index("visits_by_study", ["study"], unique=False)

    for event in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER ledger_refuses_{event.lower()} BEFORE {event} ON ledger "
            "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"
        )
