"""Finding datasets over all nodes of the network: what others publish is kept here as received, and searched."""
