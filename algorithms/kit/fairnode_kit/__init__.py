"""What an algorithm needs to visit a node: read what was asked, open the records, write complete tables.

    from fairnode_kit import Run, main

    def counts(run: Run):
        ...
        return {"counts": {("NL-AM", "2010"): 12}}

    if __name__ == "__main__":
        main(counts)

An algorithm is a function from a `Run` to tables: table id -> key (one code per dimension) -> a count, or a
pair (count, value) for sums, means and proportions. Cells that it leaves out are written with 0, so that the
table is complete: a cell that is missing would tell something.
"""

from fairnode_kit.result import complete, main, write_result
from fairnode_kit.run import Dimension, Input, Run, Table, Variable, connect, read_run
from fairnode_kit.tables import table, tables

__all__ = [
    "Dimension",
    "Input",
    "Run",
    "Table",
    "Variable",
    "complete",
    "connect",
    "main",
    "read_run",
    "table",
    "tables",
    "write_result",
]
