"""Bringing a database file to the schema of this version (Alembic)."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from fairnode.store.tables import METADATA


def _alembic() -> AlembicConfig:
    """Alembic's settings: the migrations are beside this module."""
    settings = AlembicConfig()
    settings.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return settings


def migrate(path: Path) -> None:
    """Make the SQLite file `path`, or bring it to the newest schema."""
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        settings = _alembic()
        settings.attributes["connection"] = connection
        command.upgrade(settings, "head")
    engine.dispose()
    path.chmod(0o600)


def newest() -> str:
    """The number of the newest migration."""
    return str(ScriptDirectory.from_config(_alembic()).get_current_head())


def differences(path: Path) -> list[object]:
    """What the migrations left out or added, compared with the tables in the code; for a test."""
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection), METADATA)
    engine.dispose()
    return list(found)


def propose(path: Path, message: str, number: str) -> None:
    """Write the next migration from the differences between `path` and the code; for developers."""
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        settings = _alembic()
        settings.attributes["connection"] = connection
        command.revision(settings, message, autogenerate=True, rev_id=number)
    engine.dispose()
