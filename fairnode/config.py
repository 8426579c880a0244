"""The node's settings: read once, from `node.toml` in the node's directory, into a frozen `Config`."""

from __future__ import annotations

import ipaddress
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from fairnode import errors

FILE = "node.toml"
_HOST = r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?(:[0-9]{1,5})?"
NODE = ("name", "url", "host", "port", "peer_port", "compute_port")


@dataclass(frozen=True)
class Organisation:
    """Who hosts the node. `kind` is a notation of the code list `reportingOrganisation`.

    `homepage` and `email` are published: the page of the organisation, and the address of its data desk.
    """

    name: str
    kind: str = "other"
    homepage: str = ""
    email: str = ""


@dataclass(frozen=True)
class Settings:
    """What an operator may tune; the gate's rules and the policies are not settings.

    `release_slot` (seconds): releases become visible only at multiples of it, so that their moment tells
    nothing (P8). `visits_at_once`: how many containers may run side by side. `base_image`: the image in which
    the engine is attacked before the first visit (made by docker/base-image.sh). `one_visit_per_dataset`: no two
    containers ever read the same dataset at the same time. `rehearse`: a study that waits for people is run
    on the dataset's synthetic twin, and they see how that went. `twin_epsilon`: how much privacy loss all
    profiles with noise of one dataset may cost together; 0 permits none.
    """

    release_slot: int = 3600
    visits_at_once: int = 2
    one_visit_per_dataset: bool = False
    approval_days: int = 30
    quorum: tuple[str, ...] = ("custodian", "counsel")
    runtime: str = ""
    base_image: str = "fairnode/base:bookworm"
    log_level: str = "INFO"
    upload_limit_mib: int = 1024
    rehearse: bool = True
    twin_epsilon: float = 0.0


@dataclass(frozen=True)
class Harvest:
    """Which addresses the node may call for records of others, beside those of its agreement.

    `allow`: FAIR Data Points, by the beginning of their address. `private`: networks (`10.0.0.0/8`) or hosts
    of the own network that may be called all the same. `ping`: indexes that are told that this node exists;
    none unless the organisation wants to be known. `welcome`: beginnings of addresses that may tell this node
    of themselves, as an index of FAIR Data Points is told; none unless it is to be such an index.
    """

    allow: tuple[str, ...] = ()
    private: tuple[str, ...] = ()
    ping: tuple[str, ...] = ()
    welcome: tuple[str, ...] = ()


@dataclass(frozen=True)
class Least:
    """The oldest versions with which visits are run, such as "1.1.12"; "" is any.

    Distributions mend faults under an old number, so this is a decision of the operator.
    """

    engine: str = ""
    runc: str = ""
    containerd: str = ""
    kernel: str = ""


@dataclass(frozen=True)
class Registry:
    """From which registries images may be fetched, as HOST or HOST:PORT; none, unless the operator names some.

    `redirects`: other hosts to which these may send for the layers. `ca`: a file with the certificates that
    vouch for them, where this machine's own do not.
    """

    hosts: tuple[str, ...] = ()
    redirects: tuple[str, ...] = ()
    ca: str = ""


@dataclass(frozen=True)
class Config:
    """One node: where it keeps its things, where it is reached, and whose it is.

    `port` serves people and machines; `peer_port` is the mailbox door for other nodes and `compute_port`
    the one for compute parties (0: none). `rules` are numbers of the disclosure rules in which this node is
    stricter than the floor. `spool_folder` is no setting: the web process has one of its own, since it may be
    another user than the worker.
    """

    directory: Path
    name: str
    url: str
    host: str
    port: int
    organisation: Organisation
    settings: Settings = field(default_factory=Settings)
    peer_port: int = 0
    compute_port: int = 0
    harvest: Harvest = field(default_factory=Harvest)
    registry: Registry = field(default_factory=Registry)
    least: Least = field(default_factory=Least)
    rules: tuple[tuple[str, float], ...] = ()
    spool_folder: str = "spool"

    @property
    def iri(self) -> str:
        """The IRI by which the node is known: its address without a slash at the end."""
        return self.url.rstrip("/")

    @property
    def database(self) -> Path:
        """The database file."""
        return self.directory / "node.db"

    @property
    def index(self) -> Path:
        """The folder of the search indexes, which are made from the database."""
        return self.directory / "index"

    @property
    def keys(self) -> Path:
        """The folder of the node's keys."""
        return self.directory / "keys"

    @property
    def lineages(self) -> Path:
        """The folder of what later releases of the same data are compared with: who stood in which cell (P6)."""
        return self.directory / "lineages"

    @property
    def spool(self) -> Path:
        """The folder of short-lived files: child jobs, views, sandboxes."""
        return self.directory / self.spool_folder


def load_config(directory: Path) -> Config:
    """The settings in `directory`/node.toml.

    Raises `NotFound` where there is no node, `NotValid` naming each wrong line.
    """
    path = directory / FILE
    if not path.exists():
        raise errors.NotFound(
            "There is no node in this directory.", to_do="Make one: fairnode init DIRECTORY"
        )
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise errors.NotValid(f"{FILE} is not readable TOML: {error}") from error
    return _config(directory.resolve(), told)


def _config(directory: Path, told: dict[str, Any]) -> Config:
    """The checked settings."""
    node = told.get("node", {})
    findings = [
        *_unknown("node", node, set(NODE)),
        *_unknown("organisation", told.get("organisation", {}), {f.name for f in fields(Organisation)}),
        *_unknown("settings", told.get("settings", {}), {f.name for f in fields(Settings)}),
        *_unknown("harvest", told.get("harvest", {}), {f.name for f in fields(Harvest)}),
        *_unknown("registry", told.get("registry", {}), {f.name for f in fields(Registry)}),
        *_registry_findings(told.get("registry", {})),
        *_unknown("least", told.get("least", {}), {f.name for f in fields(Least)}),
        *_least_findings(told.get("least", {})),
        *_harvest_findings(told.get("harvest", {})),
        *_node_findings(node),
        *_organisation_findings(told.get("organisation", {})),
        *_settings_findings(told.get("settings", {})),
        *_rules_findings(told.get("rules", {})),
    ]
    if findings:
        raise errors.NotValid(f"{FILE} has mistakes.", findings=tuple(findings))
    settings = dict(told.get("settings", {}))
    if "quorum" in settings:
        settings["quorum"] = tuple(settings["quorum"])
    return Config(
        directory=directory,
        name=node["name"],
        url=node["url"],
        host=node.get("host", "127.0.0.1"),
        port=node["port"],
        organisation=Organisation(**told["organisation"]),
        settings=Settings(**settings),
        peer_port=node.get("peer_port", 0),
        compute_port=node.get("compute_port", 0),
        harvest=Harvest(**_tuples(told.get("harvest", {}))),
        least=Least(**told.get("least", {})),
        registry=Registry(**_tuples(told.get("registry", {}))),
        rules=tuple(sorted((name, float(value)) for name, value in told.get("rules", {}).items())),
    )


def _tuples(table: dict[str, Any]) -> dict[str, Any]:
    """A table whose lists can no longer change."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in table.items()}


def _registry_findings(registry: dict[str, Any]) -> list[errors.Finding]:
    """What is wrong with the [registry] table."""
    findings = []
    for name in ("hosts", "redirects"):
        told = registry.get(name, [])
        if not isinstance(told, list) or not all(re.fullmatch(_HOST, str(item)) for item in told):
            findings.append(errors.Finding(f"registry.{name}", "must be a list of HOST or HOST:PORT"))
    if not isinstance(registry.get("ca", ""), str):
        findings.append(errors.Finding("registry.ca", "must be the path of a file, or empty"))
    return findings


def _least_findings(least: dict[str, Any]) -> list[errors.Finding]:
    """What is wrong with the [least] table."""
    return [
        errors.Finding(f"least.{name}", 'must be a version such as "1.1.12", or empty')
        for name, value in least.items()
        if not isinstance(value, str) or not re.fullmatch(r"([0-9]+(\.[0-9]+){0,3})?", value)
    ]


def _rules_findings(rules: dict[str, Any]) -> list[errors.Finding]:
    """What is wrong with the [rules] table; which names there are, the rules themselves say."""
    what = "must be a number, its name in quotes as in docs/gate.md"
    return [
        errors.Finding(f"rules.{name}", what)
        for name, value in rules.items()
        if isinstance(value, bool) or not isinstance(value, (int, float))
    ]


def _harvest_findings(harvest: dict[str, Any]) -> list[errors.Finding]:
    """What is wrong with the [harvest] table."""
    findings = []
    for name, told in harvest.items():
        if not isinstance(told, list) or not all(isinstance(item, str) for item in told):
            findings.append(errors.Finding(f"harvest.{name}", "must be a list of texts"))
            continue
        for item in told:
            if name == "private" and not _is_network(item):
                findings.append(errors.Finding("harvest.private", f"'{item}' is no address or network"))
            if name != "private" and not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", item):
                findings.append(errors.Finding(f"harvest.{name}", f"'{item}' is no http(s) address"))
    return findings


def _is_network(text: str) -> bool:
    """Whether a text is an IP address or network."""
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _node_findings(node: dict[str, Any]) -> list[errors.Finding]:
    """What is wrong with the [node] table."""
    findings = []
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,40}", str(node.get("name", ""))):
        findings.append(errors.Finding("node.name", "must be a short word of a-z, 0-9 and -"))
    if not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", str(node.get("url", ""))):
        findings.append(
            errors.Finding("node.url", "must be the http(s) address under which the node is known")
        )
    for name, least in (("port", 1), ("peer_port", 0), ("compute_port", 0)):
        number = node.get(name, 0)
        if not isinstance(number, int) or not least <= number < 65536:
            findings.append(errors.Finding(f"node.{name}", f"must be a number from {least} to 65535"))
    return findings


def _organisation_findings(organisation: dict[str, Any]) -> list[errors.Finding]:
    """What is wrong with the [organisation] table: its addresses are published as they stand."""
    findings = []
    if not organisation.get("name"):
        findings.append(errors.Finding("organisation.name", "is missing: whose node is this?"))
    for name, form, what in (
        ("homepage", r"(https?://[^\s<>\"{}|^`\\]+)?", "must be the http(s) address of a page, or empty"),
        ("email", r"([^\s@<>\"{}|^`\\]+@[\w-]+(\.[\w-]+)+)?", "must be an e-mail address, or empty"),
    ):
        if not re.fullmatch(form, str(organisation.get(name, ""))):
            findings.append(errors.Finding(f"organisation.{name}", what))
    return findings


_QUORUMS: tuple[list[str], ...] = (["custodian"], ["counsel"], ["counsel", "custodian"])

# setting -> (what it must be, whether a value is that)
_SETTINGS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "release_slot": ("must be a number of seconds, 1 or more", lambda v: _number(v, 1)),
    "visits_at_once": ("must be a number from 1 to 64", lambda v: _number(v, 1, 64)),
    "approval_days": ("must be a number of days from 1 to 366", lambda v: _number(v, 1, 366)),
    "quorum": (
        "names custodian, counsel, or both, each once",
        lambda v: isinstance(v, list) and v != [] and sorted(map(str, v)) in _QUORUMS,
    ),
    "runtime": ("must be the name of a runtime, or empty", lambda v: isinstance(v, str)),
    "log_level": (
        "must be DEBUG, INFO, WARNING or ERROR",
        lambda v: v in ("DEBUG", "INFO", "WARNING", "ERROR"),
    ),
    "rehearse": ("must be true or false", lambda v: isinstance(v, bool)),
    "twin_epsilon": (
        "must be a number from 0 to 10",
        lambda v: isinstance(v, int | float) and not isinstance(v, bool) and 0 <= v <= 10,
    ),
    "upload_limit_mib": ("must be a number of MiB, 1 or more", lambda v: _number(v, 1)),
}


def _number(value: Any, least: int, most: int = 1 << 31) -> bool:
    """Whether a value is a whole number within bounds (true and false are none)."""
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _settings_findings(settings: dict[str, Any]) -> list[errors.Finding]:
    """What is wrong with the [settings] table; an empty quorum, say, would let everything run."""
    return [
        errors.Finding(f"settings.{name}", _SETTINGS[name][0])
        for name, value in settings.items()
        if name in _SETTINGS and not _SETTINGS[name][1](value)
    ]


def _unknown(table: str, told: dict[str, Any], known: set[str]) -> list[errors.Finding]:
    """A finding for each name that means nothing: a misspelt setting must not be ignored in silence."""
    return [errors.Finding(f"{table}.{name}", "is not a setting") for name in sorted(set(told) - known)]


def write_config(config: Config) -> None:
    """Leave `node.toml` for a new node.

    Raises `Conflict` when there is one, and `NotValid`, with nothing written, for settings that cannot be.
    """
    path = config.directory / FILE
    text = "\n".join(
        [
            "# The settings of this node; see docs/admin.md. Restart the node after a change.",
            "[node]",
            *(f"{name} = {_toml(getattr(config, name))}" for name in NODE),
            "",
            "[organisation]",
            *(f"{f.name} = {_toml(getattr(config.organisation, f.name))}" for f in fields(Organisation)),
            "",
            "[settings]",
            *(f"{f.name} = {_toml(getattr(config.settings, f.name))}" for f in fields(Settings)),
            "",
            "[harvest]",
            *(f"{f.name} = {_toml(getattr(config.harvest, f.name))}" for f in fields(Harvest)),
            "",
            "[registry]",
            *(f"{f.name} = {_toml(getattr(config.registry, f.name))}" for f in fields(Registry)),
            "",
            "[least]",
            *(f"{f.name} = {_toml(getattr(config.least, f.name))}" for f in fields(Least)),
            "",
            "[rules]",
            *(f'"{name}" = {value}' for name, value in config.rules),
            "",
        ]
    )
    _config(config.directory, tomllib.loads(text))
    config.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise errors.Conflict("There is a node in this directory already.") from error


def _toml(value: str | float | tuple[str, ...]) -> str:
    """A value as TOML writes it (strings escaped as in JSON, which TOML's basic strings allow)."""
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(v) for v in value) + "]"
    if isinstance(value, int | float):
        return str(value).lower()  # true and false are small in TOML
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
