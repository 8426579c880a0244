"""Each option of the lockdown: a container that came out with another one is seen and never started."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fairnode.engine import Limits, VisitSpec
from fairnode.engine_docker.attacks.syscalls import NUMBERS
from fairnode.engine_docker.daemon import Daemon
from fairnode.engine_docker.lockdown import Mount, container_request
from fairnode.engine_docker.verify import differences

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.needs_docker

PROFILE = json.dumps({"defaultAction": "SCMP_ACT_ALLOW"})
ULIMITS = ("core", "cpu", "fsize", "memlock", "msgqueue", "nofile")


@pytest.fixture(scope="module")
def daemon():
    daemon = Daemon()
    yield daemon
    daemon.close()


@pytest.fixture(scope="module")
def request_(base_image, daemon, tmp_path_factory):
    folder = tmp_path_factory.mktemp("visit")
    for name in ("run.json", "result"):
        (folder / name).touch()
    mounts = (
        Mount(folder / "run.json", "/fairnode/run.json", writable=False),
        Mount(folder / "result", "/fairnode/out/result", writable=True),
    )
    image = daemon.image(base_image)
    spec = VisitSpec("v", image["Id"], "", ("python3",), b"", {}, datetime.now(UTC), Limits())
    return container_request("test", spec, mounts, PROFILE, "runc"), image["Config"]["Env"]


def findings(daemon, asked, environment, made):
    """The differences from `asked` in a container that was really made as `made`."""
    answer = daemon.ask(lambda api: api.create_container_from_config(made))
    try:
        return {f.where for f in differences(asked, daemon.inspect(answer["Id"]), environment)}
    finally:
        daemon.ask(lambda api: api.remove_container(answer["Id"], v=True))


def test_a_container_made_as_asked_has_no_differences(daemon, request_):
    asked, environment = request_
    assert findings(daemon, asked, environment, asked) == set()


OTHER = {
    "Entrypoint": ["sh"],
    "Cmd": ["-c"],
    "User": "",
    "WorkingDir": "/tmp",
    "Env": ["LD_PRELOAD=/tmp/x.so"],
    "Labels": {},
    "Hostname": "node",
    "NetworkDisabled": False,
    "AttachStdin": True,
    "AttachStdout": True,
    "AttachStderr": True,
    "OpenStdin": True,
    "StdinOnce": True,
    "Tty": True,
    "StopSignal": "SIGTERM",
    "Healthcheck": {"Test": ["CMD", "true"]},
    "Volumes": {"/data": {}},
    "ExposedPorts": {"80/tcp": {}},
    "Domainname": "example",
}
OTHER_ON_HOST = {
    "NetworkMode": "bridge",
    "IpcMode": "private",
    "PidMode": "host",
    "UTSMode": "host",
    "CgroupnsMode": "host",
    "Privileged": True,
    "PublishAllPorts": True,
    "CapDrop": [],
    "CapAdd": ["SYS_ADMIN"],
    "ReadonlyRootfs": False,
    "Init": True,
    "AutoRemove": True,
    "RestartPolicy": {"Name": "always"},
    "LogConfig": {"Type": "json-file", "Config": {}},
    "Runtime": "io.containerd.runc.v2",
    "Memory": 0,
    "MemorySwap": -1,
    "NanoCpus": 0,
    "PidsLimit": 0,
    "OomKillDisable": True,
    "OomScoreAdj": -500,
    "Binds": ["/tmp:/host"],
    "Devices": [{"PathOnHost": "/dev/null", "PathInContainer": "/dev/x", "CgroupPermissions": "rwm"}],
    "DeviceCgroupRules": ["c 1:3 rwm"],
    "GroupAdd": ["0"],
    "ExtraHosts": ["a:127.0.0.1"],
    "Dns": ["127.0.0.1"],
    "CgroupParent": "/elsewhere",
    "MaskedPaths": [],
    "ReadonlyPaths": [],
    "CpuShares": 2048,
    "Sysctls": {"kernel.msgmax": "65536"},
}


@pytest.mark.parametrize("key", OTHER)
def test_another_setting_is_seen(daemon, request_, key):
    asked, environment = request_
    assert any(key in where for where in findings(daemon, asked, environment, {**asked, key: OTHER[key]}))


def with_what_goes_along(made, key):
    """The engine refuses some options unless another one changes too."""
    host = made["HostConfig"]
    match key:
        case "MemorySwap":
            host["MemorySwap"] = 4 << 30
        case "Memory":
            host["MemorySwap"] = 0
        case "AutoRemove":
            host["RestartPolicy"] = {"Name": ""}
        case "UTSMode":
            return {**made, "Hostname": ""}
    return made


@pytest.mark.parametrize("key", OTHER_ON_HOST)
def test_another_option_on_the_host_is_seen(daemon, request_, key):
    asked, environment = request_
    made = {**asked, "HostConfig": {**asked["HostConfig"], key: OTHER_ON_HOST[key]}}
    made = with_what_goes_along(made, key)
    seen = findings(daemon, asked, environment, made)
    assert any(key in where or (key == "Binds" and where == "Mounts") for where in seen)


@pytest.mark.parametrize("lacking", [0, 1])
def test_a_missing_security_option_is_seen(daemon, request_, lacking):
    asked, environment = request_
    made = copy.deepcopy(asked)
    del made["HostConfig"]["SecurityOpt"][lacking]
    assert "HostConfig.SecurityOpt" in findings(daemon, asked, environment, made)


def test_another_filter_of_system_calls_is_seen(daemon, request_):
    asked, environment = request_
    made = copy.deepcopy(asked)
    made["HostConfig"]["SecurityOpt"][1] = "seccomp=unconfined"
    assert "HostConfig.SecurityOpt" in findings(daemon, asked, environment, made)


@pytest.mark.parametrize("lacking", range(len(ULIMITS)), ids=ULIMITS)
def test_a_missing_limit_of_the_kernel_is_seen(daemon, request_, lacking):
    asked, environment = request_
    made = copy.deepcopy(asked)
    del made["HostConfig"]["Ulimits"][lacking]
    assert "HostConfig.Ulimits" in findings(daemon, asked, environment, made)


@pytest.mark.parametrize("place", ["/tmp", "/dev/shm"])
@pytest.mark.parametrize("option", ["noexec", "nosuid", "nodev", "size=", "nr_inodes="])
def test_a_memory_disk_with_other_options_is_seen(daemon, request_, place, option):
    asked, environment = request_
    made = copy.deepcopy(asked)
    options = made["HostConfig"]["Tmpfs"][place].split(",")
    made["HostConfig"]["Tmpfs"][place] = ",".join(o for o in options if not o.startswith(option))
    assert "HostConfig.Tmpfs" in findings(daemon, asked, environment, made)


@pytest.mark.parametrize(
    "change",
    [
        {"ReadOnly": False},
        {"Target": "/elsewhere"},
        {"BindOptions": {"Propagation": "rshared"}},
        {"Source": "/tmp"},
    ],
    ids=["writable", "elsewhere", "propagated", "other source"],
)
def test_another_mount_is_seen(daemon, request_, change):
    asked, environment = request_
    made = copy.deepcopy(asked)
    made["HostConfig"]["Mounts"][0].update(change)
    assert "Mounts" in findings(daemon, asked, environment, made)


def test_another_image_is_seen(daemon, request_):
    asked, environment = request_
    other = {**asked, "Image": "sha256:" + "0" * 64}
    assert "Image" in findings(daemon, other, environment, asked)


def test_no_option_that_is_asked_for_goes_untested():
    spec = VisitSpec("v", "i", "", ("python3",), b"", {}, datetime.now(UTC))
    asked = container_request("test", spec, (), PROFILE, "runc")
    elsewhere = {"Image", "HostConfig", "SecurityOpt", "Ulimits", "Tmpfs", "Mounts"}
    # the default of UsernsMode can only be changed on an engine with userns-remap
    assert set(asked) - elsewhere <= set(OTHER)
    assert set(asked["HostConfig"]) - elsewhere - {"UsernsMode"} <= set(OTHER_ON_HOST)


def test_the_filter_allows_no_socket_and_no_other_entry_of_the_kernel():
    profile = json.loads((ROOT / "docker/seccomp.json").read_text())
    assert profile["defaultAction"] == "SCMP_ACT_ERRNO"
    assert profile["architectures"] == ["SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64"]
    plain = [
        rule for rule in profile["syscalls"] if rule["action"] == "SCMP_ACT_ALLOW" and "args" not in rule
    ]
    allowed = {name for rule in plain for name in rule["names"]}
    refused = set(NUMBERS) - {"clone", "personality"}  # these two are allowed for certain arguments only
    assert not allowed & {"socket", "clone", "clone3", "socketcall", "personality", *refused}
