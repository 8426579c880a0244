"""Output shares are joined only when all of them are there and fit each other."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairnode.errors import NotValid
from fairnode.mpc.dealing import new_receiver_key, subsets
from fairnode.mpc.dealing.subsets import label
from fairnode.mpc.openings.outputs import OutputShare, combine_outputs, open_output, seal_output
from fairnode.mpc.programs import program

PROGRAM = replace(program("sum"), table=lambda opened, _: dict(opened))
WORD = st.integers(0, 2**64 - 1)


@st.composite
def xor_shares(draw):
    """An XOR sharing of some words among m parties, and the words."""
    m, count = draw(st.sampled_from([3, 5])), draw(st.integers(1, 4))
    rows = {label(subset): tuple(draw(WORD) for _ in range(count)) for subset in subsets(m)}
    words = [0] * count
    for row in rows.values():
        words = [a ^ b for a, b in zip(words, row, strict=True)]
    shares = [
        OutputShare("s", "r", "a", p, m, {}, {"x": {w: r for w, r in rows.items() if str(p) not in w}})
        for p in range(m)
    ]
    return shares, words


@settings(deadline=None)
@given(xor_shares(), st.randoms())
def test_xor_shares_of_all_parties_join(drawn, order):
    shares, words = drawn
    key = new_receiver_key()
    boxes = [seal_output(share, key.public) for share in shares]
    order.shuffle(boxes)
    opened = [open_output(box, key.secret) for box in boxes]
    assert combine_outputs(PROGRAM, {}, opened) == {"x": words}


@settings(deadline=None)
@given(xor_shares(), st.data())
def test_a_wrong_row_of_one_party_is_noticed(drawn, data):
    shares, _ = drawn
    party = data.draw(st.integers(0, len(shares) - 1))
    who = data.draw(st.sampled_from(sorted(shares[party].rows["x"])))
    change = data.draw(st.sampled_from(["flip", "drop", "shorten"]))
    rows = dict(shares[party].rows["x"])
    row = rows.pop(who)
    if change != "drop":
        rows[who] = (row[0] ^ 1, *row[1:]) if change == "flip" else row[1:]
    shares[party] = replace(shares[party], rows={"x": rows})
    with pytest.raises(NotValid, match="contradict"):
        combine_outputs(PROGRAM, {}, shares)


@pytest.mark.parametrize("box", [b"", b"x" * 100])
def test_what_is_no_share_is_refused(box):
    with pytest.raises(NotValid, match="cannot be opened"):
        open_output(box, new_receiver_key().secret)


def test_no_shares_are_no_table():
    with pytest.raises(NotValid, match="missing"):
        combine_outputs(PROGRAM, {}, [])
