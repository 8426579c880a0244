"""Going out to other nodes: the only place that calls them. TLS with the pinned certificate, signed requests."""
