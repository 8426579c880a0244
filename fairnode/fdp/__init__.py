"""The RDF door: a FAIR Data Point at the records' own IRIs, in Turtle, JSON-LD, N-Triples, RDF/XML and HTML.

Owns content negotiation there and calls the HTML renderer that `app` passes in. Everybody may read what is
published; only a custodian with a token may write, and a draft is as if it were not there.
"""

from fairnode.fdp.door import make_blueprint
from fairnode.fdp.represent import FdpDoor

__all__ = ["FdpDoor", "make_blueprint"]
