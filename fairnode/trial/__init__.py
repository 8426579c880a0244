"""An algorithm on a synthetic twin: the same sandbox, the same gate, and every reason told to its author."""
