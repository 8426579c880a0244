"""May this leave? Strict reading of what a container wrote, the node's recount beside it, order of checks."""
