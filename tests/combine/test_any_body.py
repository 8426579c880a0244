"""Whatever a member writes into a message, it is taken in or refused once; it never stops the node."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairnode.ledger import verify_ledger
from fairnode.worker.delivery import HANDLERS, Delivery, handle
from tests.combine.conftest import FOUR

NAMES = (
    "stage", "party", "key", "signature", "dataset", "contract", "run", "attempt", "contributors", "program",
    "receiverKeys", "recipient", "announcement", "package", "pieces", "correction", "outcome", "output", "reason", "state",
    "release", "document", "statistics",
)  # fmt: skip
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.text(max_size=5)
    | st.sampled_from(["combine", "count", "AAAA", "00"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=8,
)
BODIES = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=12) | VALUES


def test_any_body_of_any_kind_is_refused_without_harm(one_town):
    study = one_town.ask(FOUR)
    one_town.carry()
    node, sender = one_town.home, one_town.nodes["police"].iri
    number = iter(range(10_000, 20_000))

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(kind=st.sampled_from(sorted(HANDLERS)), body=BODIES)
    def take(kind, body):
        delivery = Delivery(sender, next(number), kind, study, body)
        assert handle(node, delivery)
        assert not handle(node, delivery)

    take()
    assert verify_ledger(node.desk).problems == ()
