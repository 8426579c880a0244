"""Who takes part in the demo: six organisations, one node each, a person for each role."""

from __future__ import annotations

import importlib
import secrets
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from fairnode.records.rows import Role
from fairnode.share import shared

# username -> the person's name; their role is the key's value
PEOPLE: dict[str, tuple[str, Role]] = {
    "rosa": ("Rosa de Wit", Role.RESEARCHER),
    "arjen": ("Arjen Smit", Role.AUTHOR),
    "carla": ("Carla Bakker", Role.CUSTODIAN),
    "lars": ("Lars Jansen", Role.COUNSEL),
    "omar": ("Omar Visser", Role.OPERATOR),
    "aisha": ("Aisha Mulder", Role.AUDITOR),
}

HOME = "coordinators"
LOCAL = "police"  # whose own researcher asks for a table of its own
COMPUTING = ("police", "labour", "coordinators")
WITHOUT_PORT, HOST = "shelters", "coordinators"


@dataclass(frozen=True)
class Member:
    """One organisation's node in the demo. `passwords` are made for this run.

    `peer_port` is 0 for the one without an inbound port, which `host` (a node's address) hosts;
    `compute_port` is 0 for all but the compute parties.
    """

    key: str
    name: str
    kind: str
    directory: Path
    port: int
    passwords: dict[str, str]
    peer_port: int
    compute_port: int
    host: str

    @property
    def url(self) -> str:
        """The node's address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def dataset(self) -> str:
        """The IRI of the dataset of this organisation."""
        return f"{self.url}/dataset/{self.key}-victims"

    def token_file(self, user: str) -> Path:
        """Where the token of a person is kept."""
        return self.directory / "tokens" / user


def example() -> ModuleType:
    """The example of the Netherlands, from beside the package or from within it."""
    place = str(shared("examples").parent)
    if place not in sys.path:
        sys.path.append(place)
    return importlib.import_module("examples.netherlands")


def members(folder: Path) -> list[Member]:
    """The six members, with free ports and new passwords."""
    organisations = example().ORGANISATIONS
    ports = iter(free_ports(3 * len(organisations)))
    web = {o.key: next(ports) for o in organisations}
    return [
        Member(
            key=o.key,
            name=o.name,
            kind=o.type,
            directory=folder / "nodes" / o.key,
            port=web[o.key],
            passwords={user: secrets.token_urlsafe(12) for user in PEOPLE},
            peer_port=0 if o.key == WITHOUT_PORT else next(ports),
            compute_port=next(ports) if o.key in COMPUTING else 0,
            host=f"http://127.0.0.1:{web[HOST]}" if o.key == WITHOUT_PORT else "",
        )
        for o in organisations
    ]


def free_ports(number: int) -> list[int]:
    """Ports that nobody listens on, below the range from which the kernel takes ports by itself."""
    found: list[int] = []
    while len(found) < number:
        port = 20000 + secrets.randbelow(12000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in found:
            found.append(port)
    return found
