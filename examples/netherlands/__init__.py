"""Six synthetic case files that count to the published Dutch overlap table 2010-2015.

`expand(folder, seed)` writes one folder per organisation (case file, `source.toml`, `record.ttl`) and
`truth.csv`. What is published, what is drawn, and from where: README.md in this folder.
"""

from .case_files import SEED, expand
from .organisations import ORGANISATIONS, Organisation
from .records import record, source
from .table import LISTS, published

__all__ = ["LISTS", "ORGANISATIONS", "SEED", "Organisation", "expand", "published", "record", "source"]
