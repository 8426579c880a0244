"""node.toml: what is written is read again; every mistake is named, and none is passed over in silence."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairnode import errors
from fairnode.config import FILE, Config, Organisation, Settings, load_config, write_config

GOOD = Config(Path("unused"), "shelter", "https://n.example/node", "0.0.0.0", 8080, Organisation("Shelter"))


def write(folder: Path, text: str) -> Path:
    (folder / FILE).write_text(text, encoding="utf-8")
    return folder


names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40)


@given(names, st.integers(1, 65535), st.sampled_from([("counsel",), ("custodian", "counsel")]))
def test_what_is_written_is_read_again(tmp_path_factory, name, port, quorum) -> None:
    folder = tmp_path_factory.mktemp("config")
    config = Config(folder, "shelter", "https://n.example", "::1", port, Organisation(name, "shelter", "https://x.example/", "desk@x.example"),
                    Settings(quorum=quorum, release_slot=7, runtime='a"b\\'), 443, 0)  # fmt: skip
    write_config(config)
    assert load_config(folder) == config


def test_an_iri_has_no_slash_at_its_end() -> None:
    assert Config(Path(), "n", "https://n.example/", "", 1, Organisation("O")).iri == "https://n.example"


def test_there_is_one_file_and_it_is_not_overwritten(tmp_path) -> None:
    config = Config(tmp_path, "n", "https://n.example", "::1", 1, Organisation("O"))
    write_config(config)
    with pytest.raises(errors.Conflict, match="already"):
        write_config(config)


def test_settings_that_cannot_be_leave_nothing_behind(tmp_path) -> None:
    with pytest.raises(errors.NotValid) as refused:
        write_config(
            Config(tmp_path / "new", "No Spaces", "n.example", "::1", 1, Organisation("O", email="x"))
        )
    assert [f.where for f in refused.value.findings] == ["node.name", "node.url", "organisation.email"]
    assert not (tmp_path / "new").exists()


def test_without_a_file_there_is_no_node(tmp_path) -> None:
    with pytest.raises(errors.NotFound, match="no node"):
        load_config(tmp_path)


@pytest.mark.parametrize("text", ["[node", "\x00", "a = "])
def test_what_is_no_toml_is_refused(tmp_path, text) -> None:
    with pytest.raises(errors.NotValid, match="not readable TOML"):
        load_config(write(tmp_path, text))


def test_a_file_in_another_encoding_is_refused(tmp_path) -> None:
    (tmp_path / FILE).write_bytes(b'name = "\xe9"')
    with pytest.raises(errors.NotValid, match="not readable TOML"):
        load_config(tmp_path)


WRONG = {
    "node.name": 'name = "No Spaces"\nurl = "https://n.example"\nport = 1',
    "node.url": 'name = "n"\nurl = "n.example"\nport = 1',
    "node.port": 'name = "n"\nurl = "https://n.example"\nport = 0',
    "node.colour": 'name = "n"\nurl = "https://n.example"\nport = 1\ncolour = "red"',
    "node.peer_port": 'name = "n"\nurl = "https://n.example"\nport = 1\npeer_port = "x"',
}


@pytest.mark.parametrize("where", WRONG)
def test_each_mistake_is_named_by_its_place(tmp_path, where) -> None:
    with pytest.raises(errors.NotValid) as refused:
        load_config(write(tmp_path, f'[node]\n{WRONG[where]}\n[organisation]\nname = "O"\n'))
    assert [f.where for f in refused.value.findings] == [where]


def test_all_mistakes_are_told_at_once(tmp_path) -> None:
    with pytest.raises(errors.NotValid) as refused:
        load_config(write(tmp_path, "[settings]\nquorums = 1\n"))
    found = {f.where for f in refused.value.findings}
    assert {"settings.quorums", "node.name", "node.url", "node.port", "organisation.name"} <= found


@pytest.mark.parametrize("email", ["desk", "desk@host", "a b@x.example", "<desk@x.example>", "@x.example"])
def test_an_address_that_is_none_is_not_published(tmp_path, email) -> None:
    node = '[node]\nname = "n"\nurl = "https://n.example"\nport = 1\n[organisation]\nname = "O"\n'
    with pytest.raises(errors.NotValid, match="must be an e-mail address") as refused:
        load_config(write(tmp_path, f'{node}email = "{email}"\n'))
    assert [f.where for f in refused.value.findings] == ["organisation.email"]


TYPES = {
    "settings.release_slot": 'release_slot = "soon"',
    "settings.visits_at_once": "visits_at_once = 0",
    "settings.quorum": 'quorum = ["researcher"]',
    "settings.upload_limit_mib": "upload_limit_mib = true",
    "settings.runtime": "runtime = 3",
    "settings.log_level": 'log_level = "LOUD"',
    "settings.approval_days": "approval_days = -1",
}


@pytest.mark.parametrize("quorum", ["[]", '["counsel", "counsel"]', '"custodian"', "[1]"])
def test_a_quorum_of_nobody_is_refused(tmp_path, quorum) -> None:
    node = '[node]\nname = "n"\nurl = "https://n.example"\nport = 1\n[organisation]\nname = "O"\n'
    with pytest.raises(errors.NotValid, match="names custodian, counsel, or both"):
        load_config(write(tmp_path, f"{node}[settings]\nquorum = {quorum}\n"))


@pytest.mark.parametrize("where", TYPES)
def test_a_setting_that_cannot_be_is_refused_before_it_does_harm(tmp_path, where) -> None:
    node = '[node]\nname = "n"\nurl = "https://n.example"\nport = 1\n[organisation]\nname = "O"\n'
    with pytest.raises(errors.NotValid) as refused:
        load_config(write(tmp_path, f"{node}[settings]\n{TYPES[where]}\n"))
    assert [f.where for f in refused.value.findings] == [where]
