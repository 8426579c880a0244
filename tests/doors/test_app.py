"""The web process as a whole: what it never shows, never takes in, and never reaches."""

from __future__ import annotations

import dataclasses
import datetime
import ipaddress
import re
import socket
import ssl
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from fairnode import errors
from fairnode.app import LARGEST_BODY, create_app, make_server
from fairnode.demo.members import free_ports

PASSWORD = "correct horse battery staple"

SECRETS = re.compile(r"Traceback|/site-packages/|/home/|File \"|sqlalchemy|node\.db")


@pytest.mark.parametrize("path", ["/", "/dataset/victims", "/login", "/nope", "/api/v1/datasets", "/home"])
def test_every_answer_carries_the_headers_that_protect(client, path):
    answer = client.get(path, headers={"Accept": "text/html"})
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert "Werkzeug" not in answer.headers.get("Server", "")


@pytest.mark.parametrize("size", [LARGEST_BODY + 1, 50 * 1024 * 1024])
@pytest.mark.parametrize(("method", "path"), [("POST", "/dataset"), ("PUT", "/dataset/victims")])
def test_a_body_that_is_too_large_is_refused_in_words(web, client, size, method, path):
    headers = web.bearer("custodian") | {"Content-Type": "text/turtle"}
    answer = client.request(method, path, content=b"#" * size, headers=headers)
    assert answer.status_code == 413
    assert "KiB" in answer.json()["detail"]
    assert client.get("/healthz").status_code == 200


def test_a_bug_of_ours_shows_one_sentence_and_nothing_else(house, caplog):
    app = create_app(house.node)
    app.add_url_rule("/boom", "boom", lambda: {}["/secret/path"])
    for accept in ("text/html", "text/turtle"):
        answer = app.test_client().get("/boom", headers={"Accept": accept})
        assert answer.status_code == 500
        assert "Something went wrong inside this node" in answer.text
        assert "secret" not in answer.text
        assert not SECRETS.search(answer.text)
    assert "secret" in caplog.text  # the operator's log has it


def test_a_database_that_is_gone_shows_one_sentence_and_nothing_else(fresh):
    app = create_app(fresh.node)
    fresh.node.close()
    (fresh.node.config.directory / "node.db").unlink()
    for accept in ("text/html", "text/turtle"):
        answer = app.test_client().get("/dataset/victims", headers={"Accept": accept})
        assert answer.status_code >= 500
        assert not SECRETS.search(answer.text), answer.text


def test_strange_requests_never_break_the_node(client):
    for path in ("/%00", "/dataset/%ff", "/dataset/" + "x" * 5000, "/?format=%00", "/inbox/%2e%2e", "//x//"):
        for accept in ("text/html", "text/turtle", "\\", "a/b;q=9", ";;;,,,"):
            answer = client.get(path, headers={"Accept": accept})
            assert answer.status_code < 500, (path, accept)
            assert not SECRETS.search(answer.text)


def test_the_web_process_reaches_neither_engine_nor_data():
    """Not even indirectly: the modules are not loaded after every part of the web was imported."""
    forbidden = ("docker", "duckdb", "pyarrow", "scipy", "mpyc", "pyshacl", "openpyxl")
    code = (
        "import sys, fairnode.app\n"
        f"print([m for m in {forbidden!r} if m in sys.modules or 'fairnode.engine_docker' in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_idle_web_process_is_small(web, client):
    for path in ("/", "/catalogue/data", "/dataset/victims", "/login", "/api/v1/datasets"):
        client.get(path, headers={"Accept": "text/html"})
    told = Path(f"/proc/{web.processes[0].pid}/smaps_rollup").read_text()
    pss = int(re.search(r"^Pss:\s+(\d+)", told, re.MULTILINE)[1]) / 1024
    assert pss < 100, f"{pss:.0f} MiB"


def test_the_node_may_live_below_a_path(fresh):
    config = dataclasses.replace(fresh.node.config, url=fresh.node.config.url + "/fair")
    app = create_app(dataclasses.replace(fresh.node, config=config))
    client = app.test_client()
    for path in ("/fair/login", "/login"):  # with a proxy that keeps the path, and one that strips it
        page = client.get(path, headers={"Accept": "text/html"})
        assert page.status_code == 200
        assert 'href="/fair/static/fairnode.css"' in page.text


def test_with_a_certificate_the_node_speaks_tls_only(fresh, tmp_path):
    key, certificate = _certificate()
    (fresh.node.config.keys / "web.key").write_bytes(key)
    (fresh.node.config.keys / "web.crt").write_bytes(certificate)
    config = dataclasses.replace(
        fresh.node.config, url=fresh.node.config.url.replace("http:", "https:"), port=free_ports(1)[0]
    )
    server = make_server(dataclasses.replace(fresh.node, config=config))
    server.prepare()
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        trust = ssl.create_default_context(cadata=certificate.decode())
        base = f"https://127.0.0.1:{config.port}"
        with urllib.request.urlopen(f"{base}/healthz", context=trust) as answer:
            assert answer.status == 200
            assert "max-age" in answer.headers["Strict-Transport-Security"]
        form = f"username=auditor&password={PASSWORD}".replace(" ", "+").encode()
        opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=trust), _Stay())
        with pytest.raises(urllib.error.HTTPError) as caught:
            opener.open(f"{base}/login", form)
        cookie = caught.value.headers["Set-Cookie"]
        assert cookie.startswith("__Secure-fairnode=")
        assert "Secure" in cookie
        caught.value.close()
    finally:
        server.stop()
        thread.join()


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows no redirect."""

    def redirect_request(self, *_: object) -> None:
        return None


def _certificate() -> tuple[bytes, bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    begin = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begin - datetime.timedelta(hours=1))
        .not_valid_after(begin + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return private, made.public_bytes(pem)


def test_a_port_that_is_taken_is_told_in_words(fresh):
    command = [sys.executable, "-c", "from fairnode.cli.main import main; main()", "serve"]
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        settings = fresh.node.config.directory / "node.toml"
        port = f"port = {sock.getsockname()[1]}"
        settings.write_text(re.sub(r"^port = \d+", port, settings.read_text(), flags=re.MULTILINE))
        done = subprocess.run(
            [*command, "--dir", str(fresh.node.config.directory)], capture_output=True, text=True, check=False
        )
    assert done.returncode == errors.Unavailable.exit_code
    assert "Nothing can listen" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
