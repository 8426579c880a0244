"""The only SQL of the house: tables, migrations, transactions.

Steps read and write records (`fairnode.records.rows`) through `Reader` and `Transaction`; they write only
inside `fairnode.ledger.commit`, so that no change goes without its line.
"""
