"""Keys are those of their definitions, and each person of a list gets one, or is counted out."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairnode.errors import NotFound
from fairnode.linkage.keys import RULES, WEAK_MARK, Identity, key_of, key_rule
from fairnode.linkage.persons import Record, cluster, keys_of

BORN = datetime.date(1985, 3, 7)
JANUARY = datetime.date(1985, 1, 1)


def who(family="Smith", first="Jane", born=BORN, sex="female"):
    return Identity.of(family, first, born, sex)


def record(*args, person="", **more):
    return Record(person, who(*args, **more))


@pytest.mark.parametrize(
    ("identity", "key"),
    [
        (who(), "MIHAN070319852"),
        (who("Lee", "Bo", sex="male"), "EE2O2070319851"),
        (who("O'Brien", "Mary-Ann", sex=None), "BREAR070319859"),
        (who("de Jong", "Ed", sex="unknown"), "ON2D2070319859"),
    ],
)
def test_slk_581_is_letters_two_three_five_and_two_three_date_and_sex(identity, key):
    assert key_of(RULES["slk-581"], identity) == key


@pytest.mark.parametrize(
    "other", [who("Jane", "Smith"), who("Smyth"), who("Smith", "Jayne"), who("Jaine", "Smit")]
)
def test_either_sound_takes_other_spellings_and_either_order(other):
    assert key_of(RULES["either-sound"], other) == key_of(RULES["either-sound"], who())


@pytest.mark.parametrize("other", [who("Jansen"), who(first="Mary"), who(born=datetime.date(1985, 3, 8))])
def test_either_sound_tells_other_persons_apart(other):
    assert key_of(RULES["either-sound"], other) != key_of(RULES["either-sound"], who())


def test_an_unknown_key_is_refused_by_name():
    with pytest.raises(NotFound, match="bsn"):
        key_rule("bsn")


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
@pytest.mark.parametrize("missing", [{"family": ""}, {"first": None}, {"born": None}, {"family": "♥"}])
def test_without_a_name_or_a_birth_date_there_is_no_key(rule, missing):
    assert key_of(rule, who(**missing)) == ""


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_with_the_first_of_january_whole_names_must_agree(rule):
    assert key_of(rule, who(born=JANUARY)).startswith(WEAK_MARK)
    assert key_of(rule, who(born=JANUARY)) != key_of(rule, who("Smythe", born=JANUARY))


def test_a_person_in_several_records_is_one():
    records = [
        record(person="a"),
        record("Smyth", person="a"),  # the organisation's own number says so
        record(person="b"),  # whole names and date say so
        record("Jane", "Smith", person="c"),  # the other way round
        record("Smitt", "Jane", person="d"),  # sound and initials agree: two weak keys
        record("Smith", "Jack", person="e", sex="male"),
    ]
    assert cluster(records) == [[0, 1, 2, 3, 4], [5]]


def test_one_weak_key_alone_puts_nobody_together():
    assert len(cluster([record("Smith", "John"), record("Smythe", "Jonas", sex="male")])) == 2
    assert len(cluster([record("Smith", born=JANUARY), record("Smitt", born=JANUARY)])) == 2


def test_a_key_of_two_persons_is_dropped_for_both_and_counted():
    made = keys_of([record("Smith", "Jane"), record("Amikh", "Rand")], RULES["slk-581"])
    assert made.keys == ()
    assert (made.records, made.merged, made.ambiguous) == (2, 0, 2)


def test_what_became_of_each_record_adds_up():
    records = [record(), record(), record("Vries"), record("", "Ann"), record("Khan", born=None),
               record("Bah", born=JANUARY)]  # fmt: skip
    made = keys_of(records, RULES["names"])
    assert (made.records, made.merged, made.ambiguous, made.without, made.weak) == (6, 1, 0, 2, 1)
    assert len(made.keys) == 3


def test_a_list_of_one_person_many_times_has_one_key():
    made = keys_of([record() for _ in range(500)], RULES["names"])
    assert (len(made.keys), made.merged) == (1, 499)


names = st.sampled_from(["Smith", "Smit", "Smythe", "Jansen", "de Jong", "Nguyen", "", "王", "♥"])
dates = st.sampled_from([BORN, JANUARY, datetime.date(1990, 12, 31), None])
records_of_a_list = st.lists(
    st.builds(lambda p, f, g, b, s: Record(p, Identity.of(f, g, b, s)),
              st.sampled_from(["", "1", "2", "3"]), names, names, dates, st.sampled_from(["male", "female", None])),
    max_size=12,
)  # fmt: skip


@given(records_of_a_list, st.sampled_from(sorted(RULES)))
def test_every_record_is_of_one_person_and_every_key_of_one_person(records, name):
    groups = cluster(records)
    assert sorted(i for group in groups for i in group) == list(range(len(records)))
    made = keys_of(records, RULES[name])
    assert len(set(made.keys)) == len(made.keys)
    assert len(made.keys) + made.ambiguous + made.without + made.merged == made.records


@given(records_of_a_list, st.randoms(use_true_random=False))
def test_the_keys_of_a_list_do_not_depend_on_the_order_of_its_records(records, random):
    shuffled = list(records)
    random.shuffle(shuffled)
    assert keys_of(shuffled, RULES["names"]) == keys_of(records, RULES["names"])
