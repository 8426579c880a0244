"""An image from a registry: fetched by digest, believed in nothing, and nothing kept of one that lies."""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
import time
from dataclasses import replace

import pytest

from fairnode import errors
from fairnode.algorithms.archive import read_archive
from fairnode.algorithms.fetching import submit_fetched
from fairnode.algorithms.known import archive_path
from fairnode.algorithms.manifest import with_identity
from fairnode.config import Config, Organisation, Registry
from fairnode.demo.members import free_ports
from fairnode.new_node import make_node
from fairnode.node import open_node
from fairnode.peers.registry import FetchLimits, fetch_image, read_reference
from fairnode.records.rows import Person
from tests.algorithms.loopback import NAME, Answer, basic, loopback, make_certificate
from tests.hostile.case import ROOT
from tests.hostile.forge import MACHINE, config, docker_archive, layer, member, oci_archive

LIMITS = FetchLimits(64 << 20, seconds=20, silence=5)
DIGEST = "sha256:" + "0" * 64


@pytest.fixture
def registry(tmp_path):
    with loopback(tmp_path) as made:
        made.put(layer(), layer(member("second", b"x" * 100_000)))
        yield made


@pytest.fixture
def fetch(registry, tmp_path):
    """Fetches; what is refused leaves nothing."""
    settings = Registry((registry.host,), (), str(registry.ca))

    def go(reference: str = "", given: Registry = settings, limits: FetchLimits = LIMITS):
        target = tmp_path / "fetched.tar"
        target.unlink(missing_ok=True)
        try:
            fetch_image(reference or registry.reference, given, tmp_path, limits, target)
        except errors.FairnodeError:
            assert not target.exists()
            raise
        return target

    go.settings = settings
    return go


def test_what_was_fetched_has_the_identity_of_the_same_image_from_a_stick(registry, fetch, tmp_path):
    files = registry.put(layer(), layer(member("second", b"x" * 100_000)))
    stick = oci_archive(tmp_path / "stick.tar", files)
    docker = docker_archive(tmp_path / "d.tar", layer(), layer(member("second", b"x" * 100_000)))
    identities = {read_archive(path, MACHINE).identity for path in (fetch(), stick, docker)}
    assert len(identities) == 1


@pytest.mark.parametrize(
    "text",
    [
        "r.example/counts:latest", "r.example/counts", "counts@" + DIGEST, "https://r.example/counts@" + DIGEST,
        "r.example/../x@" + DIGEST, "r.example/Counts@" + DIGEST, "user:x@r.example/counts@" + DIGEST,
        "r.example/counts@sha256:short", "r.example/counts@" + DIGEST + "\n", "r.example//counts@" + DIGEST,
    ],
)  # fmt: skip
def test_only_a_digest_names_an_image(text):
    with pytest.raises(errors.NotValid, match="tag is not enough"):
        read_reference(text)


def test_without_a_named_registry_nobody_is_called(registry, fetch):
    with pytest.raises(errors.NotAllowed, match="not fetched from"):
        fetch(given=Registry())
    assert registry.asked == []


def test_a_registry_whose_certificate_nobody_vouches_for_is_not_believed(fetch):
    with pytest.raises(errors.Unavailable, match="as agreed"):
        fetch(given=replace(fetch.settings, ca=""))


def test_credentials_go_to_the_registry_alone_and_only_when_it_asks(registry, fetch, tmp_path):
    secret = tmp_path / f"registry-{registry.host.replace(':', '_')}.secret"
    secret.write_text("node:secret\n")
    honest = registry.answers[registry.manifest_path()]

    def guarded(request):
        if request.headers.get("Authorization") == basic("node", "secret"):
            return honest
        return Answer(401, headers={"WWW-Authenticate": 'Basic realm="x"'})

    registry.answers[registry.manifest_path()] = guarded
    fetch()
    assert registry.asked[0][1] == ""
    assert {given for _, given in registry.asked[1:]} == {basic("node", "secret")}
    secret.unlink()
    with pytest.raises(errors.NotAllowed, match="who asks"):
        fetch()


def test_a_token_is_fetched_where_that_is_allowed_and_nowhere_else(registry, fetch):
    registry.answers["/token"] = Answer(body=json.dumps({"token": "abc"}).encode())
    honest = registry.answers[registry.manifest_path()]

    def guarded_by(realm):
        def answer(request):
            if request.headers.get("Authorization") == "Bearer abc":
                return honest
            return Answer(401, headers={"WWW-Authenticate": f'Bearer realm="{realm}",service="r"'})

        return answer

    registry.answers[registry.manifest_path()] = guarded_by(f"https://{registry.host}/token")
    fetch()
    for elsewhere in ("https://127.0.0.1:1/token", f"http://{registry.host}/token"):
        registry.answers[registry.manifest_path()] = guarded_by(elsewhere)
        with pytest.raises(errors.NotAllowed, match="sends elsewhere"):
            fetch()


def test_a_redirect_is_followed_to_named_hosts_and_without_credentials(registry, fetch, tmp_path_factory):
    (tmp_path_factory.getbasetemp() / "unused").mkdir(exist_ok=True)
    with loopback(tmp_path_factory.mktemp("blobs")) as store:
        blob = registry.answers[registry.blob_path()]
        store.answers["/layer"] = blob
        registry.answers[registry.blob_path()] = Answer(
            307, headers={"Location": f"https://{store.host}/layer"}
        )
        both = registry.ca.with_name("both.crt")
        both.write_bytes(registry.ca.read_bytes() + store.ca.read_bytes())
        given = replace(fetch.settings, ca=str(both))
        with pytest.raises(errors.NotAllowed, match="sends elsewhere"):
            fetch(given=given)
        assert store.asked == []
        read_archive(fetch(given=replace(given, redirects=(store.host,))), MACHINE)
        assert store.asked == [("/layer", "")]


def _other_bytes(registry):
    body = registry.answers[registry.blob_path()].body
    return Answer(body=body[:-1] + bytes([body[-1] ^ 1]))


LAYERS = {
    "others": (errors.NotValid, _other_bytes),
    "longer": (errors.NotValid, lambda r: Answer(body=r.answers[r.blob_path()].body + b"x")),
    "shorter": (errors.NotValid, lambda r: Answer(body=r.answers[r.blob_path()].body[:-1])),
    "cut off": (errors.Unavailable, lambda _: Answer(body=b"x", headers={"Content-Length": "300"})),
    "endless": (errors.NotValid, lambda _: Answer(body=itertools.repeat(b"x" * 65536))),
    "none": (errors.NotFound, lambda _: Answer(404)),
    "forbidden": (errors.NotAllowed, lambda _: Answer(403)),
    "broken": (errors.Unavailable, lambda _: Answer(500)),
    "packed": (errors.Unavailable, lambda _: Answer(body=b"x", headers={"Content-Encoding": "gzip"})),
    "in a circle": (errors.Unavailable, lambda r: Answer(307, headers={"Location": r.blob_path()})),
    "by plain HTTP": (errors.NotAllowed, lambda _: Answer(307, headers={"Location": "http://127.0.0.1/"})),
    "from a file": (errors.NotAllowed, lambda _: Answer(307, headers={"Location": "file:///etc/passwd"})),
    "from nowhere": (errors.Unavailable, lambda _: Answer(302, headers={"Location": "https://"})),
}


@pytest.mark.parametrize("kind", LAYERS)
def test_a_layer_that_is_not_what_was_promised_leaves_nothing(registry, fetch, kind):
    error, answer = LAYERS[kind]
    registry.answers[registry.blob_path()] = answer(registry)
    with pytest.raises(error):
        fetch()


MANIFESTS = {
    "a list of images": lambda told: {"schemaVersion": 2, "manifests": [told["config"]]},
    "an index and a manifest at once": lambda told: {**told, "manifests": []},
    "a layer from elsewhere": lambda told: {
        **told, "layers": [{**told["layers"][0], "urls": ["https://x.example/l"]}]
    },
    "a layer larger than anything": lambda told: {**told, "layers": [{**told["layers"][0], "size": 1 << 60}]},
    "a layer of less than nothing": lambda told: {**told, "layers": [{**told["layers"][0], "size": -1}]},
    "a layer by another digest": lambda told: {
        **told, "layers": [{**told["layers"][0], "digest": "sha256:../../x"}]
    },
    "a hundred and thirty layers": lambda told: {**told, "layers": told["layers"][:1] * 130},
    "no layers": lambda told: {"config": told["config"]},
    "a text": lambda _: "x",
}  # fmt: skip


@pytest.mark.parametrize("kind", MANIFESTS)
def test_a_manifest_that_tells_of_something_else_is_refused_before_any_blob(registry, fetch, kind):
    reference = registry.tell(MANIFESTS[kind](registry.manifest()))
    with pytest.raises(errors.NotValid, match="did not give the image"):
        fetch(reference)
    assert len(registry.asked) == 1


@pytest.mark.parametrize("body", [b"{}", b"x" * (2 << 20)])
def test_a_manifest_with_another_digest_is_refused(registry, fetch, body):
    registry.answers[registry.manifest_path()] = Answer(body=body)
    with pytest.raises(errors.NotValid, match="did not give the image"):
        fetch()


def test_an_image_larger_than_an_upload_may_be_is_not_begun(registry, fetch):
    with pytest.raises(errors.NotValid, match="larger than"):
        fetch(limits=replace(LIMITS, bytes_all=100))
    assert len(registry.asked) == 1


def test_a_registry_that_drips_is_left(registry, fetch):
    def drips():
        while True:
            time.sleep(0.05)
            yield b"x"

    registry.answers[registry.manifest_path()] = Answer(body=drips())
    began = time.monotonic()
    with pytest.raises(errors.Unavailable, match="longer than"):
        fetch(limits=replace(LIMITS, seconds=0.3))
    assert time.monotonic() - began < 60


@pytest.fixture
def node(tmp_path, registry):
    settings = Registry((registry.host,), (), str(registry.ca))
    made = Config(tmp_path / "node", "a", "http://a.example", "127.0.0.1", 1, Organisation("A"))
    make_node(replace(made, registry=settings))
    opened = open_node(tmp_path / "node")
    yield opened
    opened.close()


AUTHOR = Person("p1", "rosa", "Rosa", "", ["author"], True, "2026-01-01T00:00:00Z")


def test_a_node_takes_in_the_image_under_its_own_identity_or_keeps_nothing(registry, node, fetch):
    told = (ROOT / "algorithms/counts/algorithm.toml").read_bytes()
    identity = read_archive(fetch(), MACHINE).identity
    with pytest.raises(errors.NotValid, match="another image than the manifest names"):
        submit_fetched(node, AUTHOR, with_identity(told, DIGEST), registry.reference)
    assert not (node.config.directory / "images").exists()
    kept = submit_fetched(node, AUTHOR, with_identity(told, identity), registry.reference)
    assert kept.image == identity
    assert read_archive(archive_path(node, kept), MACHINE).identity == identity
    assert list((node.config.spool / "jobs").iterdir()) == []


def test_nobody_is_called_for_somebody_who_may_not_submit(registry, node):
    told = (ROOT / "algorithms/counts/algorithm.toml").read_bytes()
    with pytest.raises(errors.NotAllowed, match="authors and custodians"):
        submit_fetched(node, replace(AUTHOR, roles=["researcher"]), told, registry.reference)
    assert registry.asked == []


@pytest.mark.long
@pytest.mark.skipif(
    not (shutil.which("docker-registry") and shutil.which("skopeo")),
    reason="needs docker-registry and skopeo",
)
def test_the_registry_of_docker_gives_the_same_image_by_command(tmp_path, site):
    certificate, key = make_certificate(tmp_path)
    (port,) = free_ports(1)
    settings = {
        "version": "0.1",
        "storage": {"filesystem": {"rootdirectory": str(tmp_path / "store")}},
        "http": {"addr": f"127.0.0.1:{port}", "tls": {"certificate": str(certificate), "key": str(key)}},
    }
    (tmp_path / "config.yml").write_text(json.dumps(settings))
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen(
            ["docker-registry", "serve", tmp_path / "config.yml"], stdout=log, stderr=log
        )
    try:
        archive = docker_archive(tmp_path / "i.tar", about=config(layer()))
        push = ["skopeo", "copy", "--insecure-policy", "--dest-tls-verify=false", "--digestfile",
                tmp_path / "digest", f"docker-archive:{archive}", f"docker://127.0.0.1:{port}/{NAME}:1"]  # fmt: skip
        until = time.monotonic() + 120
        while (done := subprocess.run(push, capture_output=True, check=False)).returncode:
            assert time.monotonic() < until, done.stderr
            time.sleep(0.2)
        reference = f"127.0.0.1:{port}/{NAME}@{(tmp_path / 'digest').read_text().strip()}"
        manifest = site.directory / "algorithm.toml"
        manifest.write_bytes((ROOT / "algorithms/counts/algorithm.toml").read_bytes())
        asked = ("algorithm", "submit", str(manifest), "--from-registry", reference)
        refused = site.cli(*asked, user="carla", ok=False)
        assert (refused.returncode, "not fetched from" in refused.stderr) == (4, True)
        settings_file = site.directory / "node.toml"
        told = settings_file.read_text().replace("hosts = []", f'hosts = ["127.0.0.1:{port}"]')
        settings_file.write_text(told.replace('ca = ""', f'ca = "{certificate}"'))
        assert site.json(*asked, user="carla")["identity"] == read_archive(archive, MACHINE).identity
    finally:
        server.terminate()
        server.wait(60)
