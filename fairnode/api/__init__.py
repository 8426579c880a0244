"""The JSON door for programs: `/api/v1`, exactly as `fairnode/openapi.yaml` says.

The routes are made from that file, and every request is checked against it before a step is called. Who asks
is known by token; a decision is signed with the key that the token carries.
"""

from fairnode.api.door import make_blueprint

__all__ = ["make_blueprint"]
