"""`python -m benchmarks.mpc [full] [NAME ...]`: all rows, the long ones too, or those of the named groups."""

import sys

from benchmarks.__main__ import keep, show
from benchmarks.mpc import measure

names = [name for name in sys.argv[1:] if name != "full"]
found = [row for name in names for row in getattr(measure, name)()] or measure.rows(full="full" in sys.argv)
show(found)
if not names:
    keep(found, ["mpc"])
