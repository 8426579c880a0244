"""Setting up a network with the commands of docs/network.md."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from fairnode.cli.main import fairnode
from fairnode.network.joined import current
from fairnode.node import open_node

DOCS = Path(__file__).parents[2] / "docs" / "network.md"
KEYS = ("police", "labour", "coordinators")


def commands() -> list[list[str]]:
    """The words of every command in the fenced console blocks."""
    blocks = re.findall(r"```console\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    lines = [line.removeprefix("$ ") for block in blocks for line in block.splitlines()]
    return [shlex.split(line.partition(" > ")[0])[1:] for line in lines]


def test_every_command_of_the_page_exists_with_its_options():
    assert len(commands()) >= 10
    for words in commands():
        group: click.Command = fairnode
        for word in words:
            if isinstance(group, click.Group):
                found = group.get_command(click.Context(group), word)
                assert found is not None, words
                group = found
        known = {option for parameter in group.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known, words


def run(*words, fails=False):
    done = CliRunner().invoke(fairnode, [str(word) for word in words])
    assert (done.exit_code != 0) == fails, done.output + repr(done.exception)
    return done


@pytest.fixture(scope="module")
def members(tmp_path_factory):
    """Three nodes with a counsel each, made by command."""
    folder = tmp_path_factory.mktemp("members")
    password = folder / "password"
    password.write_text("correct horse battery staple", encoding="utf-8")
    for number, key in enumerate(KEYS):
        run("init", folder / key, "--name", key, "--url", f"https://{key}.example", "--organisation", key,
            "--kind", "police", "--port", 8100 + number)  # fmt: skip
        run("person", "add", "lars", "--name", "Lars Jansen", "--role", "counsel", "--password-file", password,
            "--dir", folder / key)  # fmt: skip
        run("person", "token", "lars", "--to", folder / f"{key}.token", "--password-file", password,
            "--dir", folder / key)  # fmt: skip
        card = run("network", "card", "--endpoint", f"https://{key}.example:8443", "--dir", folder / key)
        (folder / f"{key}.json").write_text(card.stdout, encoding="utf-8")
    return folder


def make(folder, target, **changes):
    told = {"cards": KEYS, "computing": KEYS, **changes}
    cards = [word for key in told["cards"] for word in ("--card", folder / f"{key}.json")]
    parties = [w for k in told["computing"] for w in ("--compute", f"https://{k}.example={k}.example:7001")]
    return run(
        "network", "make", target, "--title", "Ours", *cards, *parties, fails=bool(changes.get("fails"))
    )


def sign(folder, key, agreement):
    target = folder / f"{agreement.stem}-{key}.signature"
    run("network", "sign", agreement, "--to", target, "--token-file", folder / f"{key}.token",
        "--dir", folder / key)  # fmt: skip
    return target


def join(folder, key, agreement, signatures, **more):
    words = [word for path in signatures for word in ("--signature", path)]
    return run("network", "join", agreement, *words, "--token-file", folder / f"{key}.token",
               "--dir", folder / key, **more)  # fmt: skip


def test_a_network_is_made_signed_joined_and_shown_by_command(members):
    agreement = members / "agreement.ttl"
    make(members, agreement)
    signatures = [sign(members, key, agreement) for key in KEYS]
    refused = join(members, "police", agreement, signatures[:2], fails=True)
    assert "signed" in refused.output or "signed" in str(refused.exception)
    for key in KEYS:
        join(members, key, agreement, signatures)
        node = open_node(members / key)
        assert current(node) is not None
        node.close()
    shown = json.loads(run("network", "show", "--json", "--dir", members / "police").stdout)
    assert [line["member"] for line in shown] == sorted(KEYS)
    assert sorted(line["compute party"] for line in shown) == [0, 1, 2]


def test_two_compute_parties_of_one_organisation_are_not_written(members):
    target = members / "wrong.ttl"
    done = make(members, target, computing=("police", "labour", "police"), fails=True)
    assert "belong to one organisation" in str(done.exception) + done.output
    assert not target.exists()


def test_a_document_is_signed_by_counsel_only(members, tmp_path):
    password = members / "password"
    run("person", "add", "omar", "--name", "Omar", "--role", "operator", "--password-file", password,
        "--dir", members / "police")  # fmt: skip
    run("person", "token", "omar", "--to", tmp_path / "omar.token", "--password-file", password,
        "--dir", members / "police")  # fmt: skip
    agreement = members / "second.ttl"
    make(members, agreement)
    done = run("network", "sign", agreement, "--to", tmp_path / "x", "--token-file", tmp_path / "omar.token",
               "--dir", members / "police", fails=True)  # fmt: skip
    assert not (tmp_path / "x").exists()
    assert "counsel" in done.output + str(done.exception)
