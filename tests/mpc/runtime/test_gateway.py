"""The gateway hands a connection to the process of its run, and nothing else gets further than the door."""

import contextlib
import json
import socket
import time

import pytest

from fairnode.mpc import gateway as gateways
from fairnode.mpc.gateway import Gateway
from fairnode.mpc.transport import preamble
from fairnode.mpc.transport.mesh import listening

RUN = "0123456789abcdef" * 2


@pytest.fixture
def gateway(tmp_path):
    with Gateway("127.0.0.1", 0, tmp_path / ("deep" * 30) / ("folder" * 20)) as started:
        yield started


def dial(gateway, data):
    connection = socket.create_connection(("127.0.0.1", gateway.port), timeout=10)
    connection.sendall(data)
    return connection


def hello(run=RUN):
    return preamble.encode(preamble.Preamble(run, 0, 1, b"certificate"))


def test_a_connection_reaches_the_process_of_its_run_with_its_preamble(gateway):
    with listening(gateway._folder, RUN) as inbox, dial(gateway, hello() + b"next") as connection:
        inbox.setblocking(True)
        inbox.settimeout(10)
        assert connection.recv(1) == preamble.TAKEN
        courier, _ = inbox.accept()
        body, descriptors, _, _ = socket.recv_fds(courier, preamble.LIMIT, 4)
        assert preamble.parse(body) == preamble.Preamble(RUN, 0, 1, b"certificate")
        with courier, socket.socket(fileno=descriptors[0]) as handed:
            assert handed.recv(10) == b"next"
            handed.sendall(b"back")
        assert connection.recv(10) == b"back"


def test_a_run_that_is_not_here_is_said_to_be_unknown(gateway):
    with dial(gateway, hello()) as connection:
        assert connection.recv(1) == preamble.UNKNOWN
        assert connection.recv(1) == b""


def test_another_version_is_told_so_and_shown_to_the_process_of_the_run(gateway, monkeypatch):
    monkeypatch.setattr(preamble, "PROTOCOL", 2)
    data = hello()
    monkeypatch.undo()
    with listening(gateway._folder, RUN) as inbox, dial(gateway, data) as connection:
        assert connection.recv(1) == preamble.OTHER_PROTOCOL
        inbox.setblocking(True)
        courier, _ = inbox.accept()
        with courier:
            body, descriptors, _, _ = socket.recv_fds(courier, preamble.LIMIT, 4)
        socket.socket(fileno=descriptors[0]).close()
        assert preamble.parse(body).protocol == 2


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01" + b"0" * 40,
        preamble.MAGIC + b"\xff\xff" + b"0" * 100,
        preamble.MAGIC + b"\x00\x02{}",
        preamble.MAGIC + b"\x00\x04null",
        hello("../" * 10 + "ab"),
        hello("A" * 32),
        preamble.MAGIC
        + (lambda b: len(b).to_bytes(2, "big") + b)(
            json.dumps({"protocol": 1, "run": RUN, "from": 0, "to": 1, "certificate": "!"}).encode()
        ),
    ],
)
def test_a_stranger_gets_no_answer(gateway, data):
    with dial(gateway, data) as connection, contextlib.suppress(ConnectionResetError):
        assert connection.recv(1) == b""


def test_a_slow_stranger_is_cut_off_and_does_not_hold_up_others(gateway, monkeypatch):
    monkeypatch.setattr(gateways, "PREAMBLE_SECONDS", 1.0)
    with dial(gateway, b"fair") as slow:
        with dial(gateway, hello()) as quick:
            assert quick.recv(1) == preamble.UNKNOWN
        started = time.monotonic()
        assert slow.recv(1) == b""
        assert time.monotonic() - started < 30


def test_it_listens_on_the_configured_address_only(gateway):
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", gateway.port), timeout=2)


def test_a_taken_address_is_said_at_once(gateway, tmp_path):
    with pytest.raises(OSError, match="in use"):
        Gateway("127.0.0.1", gateway.port, tmp_path)
