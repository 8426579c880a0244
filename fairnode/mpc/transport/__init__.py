"""Sockets between compute parties: pinned TLS, bounded frames, and reasons for the end of a run."""
