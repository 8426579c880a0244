"""fairnode: the question travels, not the data."""

__version__ = "0.1.0"
