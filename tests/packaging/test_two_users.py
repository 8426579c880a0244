"""The packaged form: web and worker are two users without privileges, and the story ends the same.

Run as root (it becomes two other users); the real processes, the real engine.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import pytest

from fairnode.keys import verify
from fairnode.records.rows import Dataset, Release
from fairnode.release.receive import release_bytes
from tests.factories import ROOT, Site

SOCKET = Path("/var/run/docker.sock")
PYTHON = Path("/usr/bin/python3")
WEB, WORK, GROUP = 60001, 60002, 60010

pytestmark = [
    pytest.mark.long,
    pytest.mark.needs_docker,
    pytest.mark.skipif(os.getuid() != 0, reason="becomes two other users, which root can"),
]


@pytest.fixture
def place():
    """A directory that other users can reach, with a Python that they can run."""
    folder = Path(tempfile.mkdtemp(prefix="two-users-", dir="/var/tmp"))
    folder.chmod(0o755)
    version = subprocess.run(
        [PYTHON, "-c", "import sys; print(sys.version_info[:2])"], capture_output=True, text=True, check=True
    )
    if version.stdout.strip() != str(sys.version_info[:2]):
        pytest.skip("the machine's own Python is another version")
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    paths = [str(ROOT), *(p for p in sys.path if p.endswith("site-packages"))]
    (packages,) = (folder / "venv/lib").glob("python3*/site-packages")
    (packages / "here.pth").write_text("\n".join(paths))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def shelter(new_site, case_files, place):
    """A node laid out by packaging/rights.sh, its sources readable by the worker only."""
    made = new_site()
    shutil.copytree(case_files / "police", place / "data")
    shutil.copytree(made.directory, place / "node")
    site = Site(place / "node")
    with site.open() as node, node.store.write() as tx:
        (dataset,) = tx.find(Dataset)
        tx.change(
            dataset,
            source={**dataset.source, "path": str(place / "data" / Path(dataset.source["path"]).name)},
        )
    shutil.move(place / "node/tokens", place / "tokens")
    rights = ROOT / "packaging/rights.sh"
    subprocess.run(["sh", rights, place / "node", str(WEB), str(WORK), str(GROUP)], check=True)
    subprocess.run(["chown", "-R", f"0:{WORK}", place / "data"], check=True)
    for path in [place / "data", *(place / "data").rglob("*")]:
        path.chmod(0o750 if path.is_dir() else 0o640)
    yield site, place
    site.close()


def become(user: int, *command: object) -> list[str]:
    """A command of the web user, of the worker with Docker's group, or of a stranger."""
    groups = {WEB: str(GROUP), WORK: f"{GROUP},{SOCKET.stat().st_gid},{WORK}"}.get(user, str(user))
    return [
        *("setpriv", "--reuid", str(user), "--regid", groups.split(",")[0], "--groups", groups),
        *("--no-new-privs", "--bounding-set=-all", "--inh-caps=-all", *map(str, command)),
    ]


def start(site, place, user: int, what: str) -> subprocess.Popen[bytes]:
    shell = f"umask 007; exec {place}/venv/bin/python -m fairnode {what} --dir {site.directory}"
    with (place / f"{what}.log").open("wb") as log:
        process = subprocess.Popen(
            become(user, "sh", "-c", shell), stdout=log, stderr=log, cwd="/", env={"PATH": os.environ["PATH"]}
        )
    site.processes.append(process)
    return process


def may(user: int, test: str, path: Path) -> bool:
    return subprocess.run(become(user, "test", test, path), check=False).returncode == 0


def test_two_users_release_the_same_and_the_web_user_reaches_neither_engine_nor_records(shelter):
    site, place = shelter
    start(site, place, WEB, "serve")
    start(site, place, WORK, "work")
    until = time.monotonic() + 120
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"{site.address}/healthz", timeout=5):
                break
        except OSError:
            time.sleep(0.2)
    else:
        raise AssertionError((place / "serve.log").read_text())
    token = {user: (place / "tokens" / user).read_text() for user in ("rosa", "carla", "lars")}

    def call(user: str, path: str, **body):
        data = json.dumps(body).encode() if body else None
        headers = {"Authorization": f"Bearer {token[user]}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{site.address}/api/v1{path}", data, headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    known = call("rosa", "/algorithms")["items"][0]
    dataset = call("rosa", "/datasets")["items"][0]["iri"]
    wanted = {
        "title": "Registrations by region and year",
        "question": "How many presumed victims were registered, by region and year?",
        "purpose": "https://w3id.org/fairnode/policy#TraffickingStatistics",
        "legalBasis": ["https://w3id.org/dpv/legal/eu/gdpr#A6-1-e"],
        "algorithm": {key: known[key] for key in ("name", "version", "identity")},
        "datasets": [dataset],
        "dimensions": ["region", "year"],
        "parameters": {"dimensions": ["region", "year"]},
    }
    drafted = call("rosa", "/study-drafts", **wanted)
    assert drafted["findings"] == []
    study = call("rosa", "/studies", **drafted["document"])["id"]
    visit = site.wait_for_visit("waiting", study=study).id
    seen: set[bool] = set()
    for user, role in (("carla", "custodian"), ("lars", "counsel")):
        item = call(user, f"/inbox/{visit}")
        call(user, f"/inbox/{visit}/approve", contentHash=item["contentHash"], role=role)
    views = site.directory / "spool/visits"
    until = time.monotonic() + 180
    while (state := site.visits()[0].state) != "released" and time.monotonic() < until:
        seen |= {
            may(WEB, "-r", path) for path in [views, *(views.rglob("*.parquet") if views.exists() else [])]
        }
        assert state in ("approved", "preparing", "running", "quarantined", "passed"), (
            place / "work.log"
        ).read_text()
        time.sleep(0.05)
    assert state == "released"
    assert seen == {False}
    with site.open() as node, node.store.read() as reader:
        (release,) = reader.find(Release)
        assert verify(node.keys.public, bytes.fromhex(release.signature), release_bytes(release, node.iri))
    assert call("rosa", f"/studies/{study}")["state"] in ("sent", "finished")
    assert may(WORK, "-w", SOCKET)
    assert not may(WEB, "-r", SOCKET)
    assert not may(WEB, "-w", SOCKET)
    for hidden in ("spool", "lineages"):
        assert may(WORK, "-r", site.directory / hidden)
        assert not may(WEB, "-x", site.directory / hidden)
    (lineage,) = (site.directory / "lineages").glob("*/*.parquet")
    assert not may(WEB, "-r", lineage)
    assert not may(WEB, "-x", place / "data")
    assert not may(WORK, "-x", site.directory / "spool-web")
    assert not may(65534, "-x", site.directory)
    assert not may(WEB, "-w", site.directory / "keys/signing.key")
    assert not may(WEB, "-r", site.directory / "keys/sealing.key")
    assert may(WORK, "-r", site.directory / "keys/sealing.key")


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd on this machine")
@pytest.mark.parametrize("unit", ["fairnode-web.service", "fairnode-work.service"])
def test_systemd_understands_the_units(unit, tmp_path):
    text = (ROOT / "packaging" / unit).read_text().replace("/opt/fairnode/bin/fairnode", "/bin/true")
    (tmp_path / unit).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", tmp_path / unit], capture_output=True, text=True, check=False
    )
    told = [line for line in done.stderr.splitlines() if unit in line and "docker.service" not in line]
    assert told == []
    assert "Environment" not in text
