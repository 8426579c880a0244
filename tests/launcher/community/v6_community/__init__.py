"""Functions in the styles of the vantage6 community; each is an attribute of the package, as its tools want."""

from . import average
from .average import central_average, elsewhere, partial_average
from .crosstab import partial_crosstab
from .kaplan_meier import km_event_table
from .logistic import logistic, logistic_partial
from .summary import partial_summary

about = getattr(average, "about", None)  # not with the first versions of the tools

__all__ = [
    "about",
    "central_average",
    "elsewhere",
    "km_event_table",
    "logistic",
    "logistic_partial",
    "partial_average",
    "partial_crosstab",
    "partial_summary",
]
