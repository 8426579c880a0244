"""Multiple systems estimation: how many persons no list has seen, by every published method.

From Python: `read_table`, `analyse`, `to_json`, and the methods' own modules. From a shell:
`python -m mse TABLE.csv`. Needs numpy and scipy; matplotlib only for `--plots`.
"""

from .analyse import analyse, to_json
from .errors import MethodError, Refusal, TableError
from .fit import fit_model
from .settings import Settings
from .table import Table, parse_table, read_table

__all__ = [
    "MethodError",
    "Refusal",
    "Settings",
    "Table",
    "TableError",
    "analyse",
    "fit_model",
    "parse_table",
    "read_table",
    "to_json",
]
