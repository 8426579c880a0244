"""The installer as a whole, on a bare Debian: two users, a real visit, an upgrade that keeps, a removal that leaves.

The system is a root made by debootstrap, entered by chroot in a mount namespace of its own; systemd does not
run there, so the services are started by their own ExecStart, user, groups, umask and hidden paths. Run as root.
BARE_ROOT names a root that was made before (with python3-venv and systemd in it) and is used again.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from fairnode.ledger.commit import Entry, commit
from fairnode.records.rows import Dataset
from tests.factories import ROOT, Site

SOCKET = Path("/var/run/docker.sock")
NODE = Path("/var/lib/fairnode")  # where the services look for it; the engine must see the same place
PACKAGES = "python3,python3-venv,systemd,ca-certificates"

pytestmark = [
    pytest.mark.long,
    pytest.mark.needs_docker,
    pytest.mark.skipif(os.getuid() != 0 or not shutil.which("debootstrap"), reason="needs root, debootstrap"),
    pytest.mark.skipif(NODE.exists(), reason="this machine has an installed node"),
]

ENTER = r"""
set -e
mount --make-rprivate /
mount -t proc proc "$ROOT/proc"
mount --bind /dev "$ROOT/dev"
mkdir -p "$ROOT/run" "$ROOT$NODE"
[ ! -d "$NODE" ] || mount --bind "$NODE" "$ROOT$NODE"
touch "$ROOT/run/docker.sock"
mount --bind /var/run/docker.sock "$ROOT/run/docker.sock"
for path in $HIDDEN; do
    if [ -d "$ROOT$path" ]; then mount -t tmpfs -o mode=000 none "$ROOT$path"
    elif [ -e "$ROOT$path" ]; then touch /dev/shm/none.$$; chmod 0 /dev/shm/none.$$
        mount --bind /dev/shm/none.$$ "$ROOT$path"; rm -f /dev/shm/none.$$
    fi
done
exec chroot "$ROOT" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 PIP_NO_INDEX=1 PIP_FIND_LINKS=/wheels "$@"
"""


class Bare:
    """A bare system in a directory; `unit` facts are read from what was installed there."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def command(self, *words: object, hidden: str = "") -> list[str]:
        """The command that runs `words` in there."""
        settings = [f"ROOT={self.root}", f"NODE={NODE}", f"HIDDEN={hidden}"]
        return ["env", *settings, "unshare", "-m", "sh", "-c", ENTER, "sh", *map(str, words)]

    def run(self, *words: object, ok: bool = True) -> str:
        """What a command in there says; with `ok` it has to end well."""
        done = subprocess.run(self.command(*words), capture_output=True, text=True, check=False, timeout=900)
        assert (done.returncode == 0) or not ok, done.stdout + done.stderr
        return done.stdout + done.stderr

    def install(self) -> str:
        return self.run("sh", "/packaging/install.sh", self.wheel, "/requirements.txt")

    @property
    def wheel(self) -> Path:
        (wheel,) = (self.root / "wheels").glob("fairnode-*.whl")
        return Path("/wheels") / wheel.name

    def unit(self, name: str) -> dict[str, list[str]]:
        """The settings of a service, all values of each."""
        text = (self.root / f"etc/systemd/system/{name}.service").read_text()
        found: dict[str, list[str]] = {}
        for key, value in re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE):
            found.setdefault(key, []).append(value)
        return found

    def as_service(self, name: str, *words: object, strict: bool = True) -> list[str]:
        """A command as the user of a service; with `strict`, its hidden paths are hidden."""
        unit = self.unit(name)
        user, group = unit["User"][0], unit["Group"][0]
        hidden = " ".join(unit.get("InaccessiblePaths", [])).replace("-/", "/") if strict else ""
        become = ("setpriv", "--reuid", user, "--regid", group, "--init-groups", "--no-new-privs",
                  "--bounding-set=-all", "--inh-caps=-all")  # fmt: skip
        umask = f'umask {unit["UMask"][0]}; exec "$@"'
        return self.command(*become, "sh", "-c", umask, "sh", *words, hidden=hidden)

    def may(self, name: str, test: str, path: object, *, strict: bool = False) -> bool:
        """Whether the user of a service may read (-r), write (-w) or enter (-x) something."""
        return (
            subprocess.run(self.as_service(name, "test", test, path, strict=strict), check=False).returncode
            == 0
        )


@pytest.fixture(scope="module")
def bare() -> Iterator[Bare]:
    """A bare Debian with the wheel, what it needs, and the folder `packaging` beside it."""
    given = os.environ.get("BARE_ROOT")
    root = Path(given or tempfile.mkdtemp(prefix="bare-", dir="/var/tmp"))
    if not given:
        root.chmod(0o755)
        make = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm", root,
                os.environ.get("MIRROR", "http://deb.debian.org/debian")]  # fmt: skip
        subprocess.run(make, check=True, capture_output=True)
    made = Bare(root)
    _bring(root)
    made.run("groupadd", "-f", "-g", SOCKET.stat().st_gid, "docker")  # Docker's own package makes it
    shutil.copy(shutil.which("docker") or "", root / "usr/bin/docker")
    yield made
    if not given:
        shutil.rmtree(root)


def _bring(root: Path) -> None:
    """What an operator brings on a stick."""
    shutil.copytree(ROOT / "packaging", root / "packaging", dirs_exist_ok=True)
    shutil.copy(ROOT / "requirements.txt", root)
    wheels = root / "wheels"
    wheels.mkdir(exist_ok=True)
    for old in wheels.glob("fairnode-*"):
        old.unlink()
    pip = ["/usr/bin/python3", "-m", "pip"]  # the version of Python that the system there has
    subprocess.run([*pip, "wheel", "-q", "--no-deps", ROOT, "-w", wheels], check=True, cwd=root)
    if not list(wheels.glob("flask-*")):
        locked = ["--require-hashes", "--no-deps", "-r", ROOT / "requirements.txt", "-d", wheels]
        subprocess.run([*pip, "download", "-q", *locked], check=True, cwd=root)


@pytest.fixture(scope="module")
def installed(bare: Bare) -> Bare:
    assert "Installed." in bare.install()
    return bare


@pytest.fixture
def node(installed: Bare, new_site, case_files) -> Iterator[Site]:
    """A node with people, a dataset and an algorithm, handed to the two users as the guide says."""
    made = new_site()
    data = installed.root / "srv/fairnode-data"
    shutil.copytree(case_files / "police", data, dirs_exist_ok=True)
    installed.run("chown", "-R", "root:fairnode-work", "/srv/fairnode-data")
    installed.run("chmod", "-R", "u=rwX,g=rX,o=", "/srv/fairnode-data")
    shutil.copytree(made.directory, NODE)
    site = Site(NODE)
    with site.open() as opened:
        with opened.store.read() as reader:
            (dataset,) = reader.find(Dataset)
        path = f"/srv/fairnode-data/{Path(dataset.source['path']).name}"
        source = {**dataset.source, "path": path}
        moved = Entry("dataset.source", dataset.id, "operator")
        commit(opened.desk, lambda tx: tx.change(dataset, source=source), moved)
    shutil.move(NODE / "tokens", made.directory / "tokens-of-people")
    site.tokens = made.directory / "tokens-of-people"  # type: ignore[attr-defined]
    installed.run("sh", "/opt/fairnode/lib/rights.sh", NODE, "fairnode-web", "fairnode-work", "fairnode")
    yield site
    site.close()
    shutil.rmtree(NODE)


def start(bare: Bare, site: Site, name: str) -> subprocess.Popen[bytes]:
    """A service, by the command of its unit."""
    with (site.tokens / f"{name}.log").open("ab") as log:  # type: ignore[attr-defined]
        words = bare.unit(name)["ExecStart"][0].split()
        process = subprocess.Popen(bare.as_service(name, *words), stdout=log, stderr=log)
    site.processes.append(process)
    return process


def both(bare: Bare, site: Site) -> tuple[subprocess.Popen[bytes], subprocess.Popen[bytes]]:
    processes = start(bare, site, "fairnode-web"), start(bare, site, "fairnode-work")
    until = time.monotonic() + 180
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"{site.address}/healthz", timeout=5):
                return processes
        except OSError:
            time.sleep(0.3)
    raise AssertionError(logs(site))


def logs(site: Site) -> str:
    return "\n".join(path.read_text() for path in site.tokens.glob("*.log"))  # type: ignore[attr-defined]


def call(site: Site, user: str, path: str, **body: object) -> dict:
    data = json.dumps(body).encode() if body else None
    token = (site.tokens / user).read_text()  # type: ignore[attr-defined]
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{site.address}/api/v1{path}", data, headers)
    with urllib.request.urlopen(request, timeout=120) as answer:
        return json.load(answer)


def ask_and_approve(site: Site, title: str) -> str:
    """A study over the node's own dataset, approved by its two people; its visit."""
    known = next(a for a in call(site, "rosa", "/algorithms")["items"] if a["name"] == "counts")
    wanted = {
        "title": title,
        "question": "How many presumed victims were registered, by region and year?",
        "purpose": "https://w3id.org/fairnode/policy#TraffickingStatistics",
        "legalBasis": ["https://w3id.org/dpv/legal/eu/gdpr#A6-1-e"],
        "algorithm": {key: known[key] for key in ("name", "version", "identity")},
        "datasets": [call(site, "rosa", "/datasets")["items"][0]["iri"]],
        "dimensions": ["region", "year"],
        "parameters": {"dimensions": ["region", "year"]},
    }
    study = call(site, "rosa", "/studies", **call(site, "rosa", "/study-drafts", **wanted)["document"])["id"]
    visit = site.wait_for_visit("waiting", study=study).id
    for user, role in (("carla", "custodian"), ("lars", "counsel")):
        found = call(site, user, f"/inbox/{visit}")
        call(site, user, f"/inbox/{visit}/approve", contentHash=found["contentHash"], role=role)
    return visit


def stop(*processes: subprocess.Popen[bytes]) -> None:
    for process in processes:
        process.terminate()
    for process in processes:
        process.wait(120)


def test_a_bare_system_becomes_a_node_that_visits_is_upgraded_and_leaves_its_data(
    installed: Bare, node: Site
):
    first = both(installed, node)
    visit = ask_and_approve(node, "Before the upgrade")
    assert node.wait_for_visit("released", study=node.visits()[0].study).id == visit, logs(node)
    assert not installed.may("fairnode-web", "-w", "/run/docker.sock")
    assert installed.may("fairnode-work", "-w", "/run/docker.sock")
    for hidden in (f"{NODE}/spool", f"{NODE}/lineages", "/srv/fairnode-data"):
        assert not installed.may("fairnode-web", "-x", hidden)
        assert installed.may("fairnode-work", "-x", hidden)
    assert not installed.may("fairnode-web", "-r", "/run/docker.sock", strict=True)
    assert not installed.may("fairnode-web", "-w", f"{NODE}/keys/signing.key")
    assert not installed.may("fairnode-web", "-r", f"{NODE}/keys/sealing.key")
    assert installed.may("fairnode-work", "-r", f"{NODE}/keys/sealing.key")
    assert not installed.may("fairnode-web", "-w", "/opt/fairnode/bin/fairnode")
    told = subprocess.run(
        installed.as_service("fairnode-work", "/opt/fairnode/bin/fairnode", "doctor", "--dir", NODE, "--attack"),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (told.returncode, "WRONG" in told.stdout) == (0, False), told.stdout + told.stderr
    stop(*first)
    before = {path: path.stat().st_ino for path in (NODE / "node.db", *(NODE / "keys").iterdir())}
    assert "Installed." in installed.install()
    assert {path: path.stat().st_ino for path in before} == before
    second = both(installed, node)
    assert call(node, "rosa", "/studies")["items"]
    stop(*second)
    _uninstall(installed)
    assert not (installed.root / "opt/fairnode").exists()
    with node.open() as opened:
        assert opened.keys.public
    assert (installed.root / "srv/fairnode-data").is_dir()


def _uninstall(bare: Bare) -> None:
    """As docs/install.md says."""
    units = [f"/etc/systemd/system/{name}.service" for name in ("fairnode-web", "fairnode-work")]
    bare.run("rm", "-rf", "/opt/fairnode", *units)
