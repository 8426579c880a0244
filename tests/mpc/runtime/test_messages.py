"""Messages between parties: agreed upon, bounded, and never more than numbers."""

import ast
import json
import subprocess
import sys
from dataclasses import replace
from functools import cache
from importlib import util
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairnode.mpc import hello
from fairnode.mpc.programs import programs
from fairnode.mpc.transport.reason import CODES, Reason, parse_reason

HELLO = hello.Hello("e", "r", "s", "p", "g", "m", "i")


@pytest.mark.parametrize("field", hello.FIELDS)
@pytest.mark.parametrize("me", [0, 1, 2])
def test_the_party_that_stands_alone_is_named_by_all(field, me):
    hellos = {0: HELLO, 1: replace(HELLO, **{field: "other"}), 2: HELLO}
    reason = hello.difference(me, hellos)
    assert (reason.code, reason.party) == (f"other-{field}", 1)
    assert reason.code in CODES


def test_three_different_opinions_name_one_that_differs_from_this_party():
    hellos = {0: HELLO, 1: replace(HELLO, study="1"), 2: replace(HELLO, study="2")}
    assert [hello.difference(me, hellos).party for me in range(3)] == [1, 0, 0]


def test_equal_hellos_agree_and_come_back_from_bytes():
    assert hello.difference(0, dict.fromkeys(range(3), HELLO)) is None
    assert hello.parse(HELLO.encode()) == HELLO


@settings(deadline=None)
@given(st.binary(max_size=60) | st.sampled_from([b"{}", b"[]", b"null", b'{"engine": 1}']))
def test_no_other_bytes_are_a_hello_or_a_reason(payload):
    assert hello.parse(payload) is None
    assert hello.difference(0, {0: HELLO, 1: None, 2: HELLO}).code == "garbage"
    assert parse_reason(payload, 2, 3).code == "garbage"


def test_a_reason_from_another_party_names_who_told_it():
    told = Reason("lost", 1, "Party 1 is gone.")
    reason = parse_reason(json.dumps(told.to_json()).encode(), 2, 3)
    assert reason == replace(told, told_by=2)
    wrong = [{"code": "x"}, {"party": 3}, {"party": "1"}, {"sentence": "a\nb"}, {"sentence": "a" * 999}]
    for change in wrong:
        assert parse_reason(json.dumps(told.to_json() | change).encode(), 2, 3).code == "garbage"


def test_every_program_says_what_it_does_and_has_a_digest_of_its_source():
    for name, program in programs().items():
        assert program.name == name
        assert len(bytes.fromhex(program.digest)) == 32
        assert program.digest != replace(program, version="other").digest
        assert program.digest != replace(program, sources=program.sources[:-1]).digest


@cache
def kernels_of(module):
    """The modules of the kernels that a module of the engine imports, itself or through others."""
    tree = ast.parse(Path(util.find_spec(module).origin).read_text(encoding="utf-8"))
    told = [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module]
    names = {f"{n.module}.{alias.name}" for n in told for alias in n.names} | {n.module for n in told}
    return set().union(*({name} | kernels_of(name) for name in names & KERNELS))


KERNELS = {
    f"fairnode.mpc.kernels.{file.stem}"
    for file in Path(util.find_spec("fairnode.mpc.kernels").origin).parent.glob("[a-z]*.py")
}


def test_the_digest_of_a_program_covers_every_kernel_that_it_runs():
    for program in programs().values():
        used = set().union(*(kernels_of(module) for module in program.sources))
        assert used - set(program.sources) == set(), program.name


def test_what_a_node_uses_outside_a_party_process_does_not_load_mpyc():
    modules = ["dealing", "gateway", "openings.outputs", "programs", "party.start"]
    imports = ", ".join(f"fairnode.mpc.{name}" for name in modules)
    code = f"import sys, {imports}; sys.exit('mpyc' in sys.modules)"
    assert subprocess.run([sys.executable, "-I", "-c", code], check=False).returncode == 0
