"""How long until referral, decision or return: the tables of algorithm.toml, made by the kit."""

from __future__ import annotations

from fairnode_kit import main, tables

if __name__ == "__main__":
    main(tables)
