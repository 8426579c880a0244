"""Writes image archives that nobody honest would: every part can be replaced or added to."""

from __future__ import annotations

import copy
import gzip
import hashlib
import io
import json
import os
import tarfile
from collections.abc import Callable, Iterable
from pathlib import Path

MACHINE = {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine]


def member(name: str, content: bytes = b"", **changes: object) -> tuple[tarfile.TarInfo, bytes]:
    """A member of a tar; `changes` are attributes of `tarfile.TarInfo`, such as `type` or `linkname`."""
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in changes.items():
        setattr(info, key, value)
    return info, content


def tar(members: Iterable[tuple[tarfile.TarInfo, bytes]]) -> bytes:
    """A tar with these members in this order."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as file:
        for info, content in members:
            file.addfile(info, io.BytesIO(content) if content else None)
    return out.getvalue()


def layer(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    """A layer with a greeting and `members`."""
    return tar([member("etc/", type=tarfile.DIRTYPE), member("etc/greeting", b"hello"), *members])


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def config(*layers: bytes, **settings: object) -> dict:
    """An image configuration; `settings` go into its "config"."""
    return {
        "architecture": MACHINE,
        "os": "linux",
        "config": {"Entrypoint": ["/bin/true"], "Env": ["PATH=/bin"], **settings},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest(one)}" for one in layers]},
    }


def docker_archive(
    path: Path,
    *layers: bytes,
    about: dict | None = None,
    change: Callable[[list], list] = list,
    packed: bool = False,
    tags: tuple[str, ...] = (),
) -> Path:
    """A docker-archive at `path`; `about` replaces its configuration, `change` edits its list of members."""
    layers = layers or (layer(),)
    told = json.dumps(about or config(*layers)).encode()
    names = [f"{digest(one)}.tar" for one in layers]
    manifest = json.dumps([{"Config": "config.json", "RepoTags": list(tags), "Layers": names}]).encode()
    bodies = {name: gzip.compress(one) if packed else one for name, one in zip(names, layers, strict=True)}
    members = [member(name, body) for name, body in bodies.items()]
    members += [member("config.json", told), member("manifest.json", manifest)]
    path.write_bytes(tar(change(members)))
    return path


def oci_blobs(*layers: bytes, about: dict | None = None, platforms: int = 1) -> dict[str, bytes]:
    """The files of an OCI image layout, by name."""
    layers = layers or (layer(),)
    told = json.dumps(about or config(*layers)).encode()
    packed = [gzip.compress(one, mtime=0) for one in layers]
    manifest = {
        "schemaVersion": 2,
        "config": _descriptor(told, "config.v1+json"),
        "layers": [_descriptor(one, "layer.v1.tar+gzip") for one in packed],
    }
    body = json.dumps(manifest).encode()
    described = _descriptor(body, "manifest.v1+json")
    index = {"schemaVersion": 2, "manifests": [copy.deepcopy(described) for _ in range(platforms)]}
    files = {f"blobs/sha256/{digest(blob)}": blob for blob in (told, body, *packed)}
    return {
        **files,
        "index.json": json.dumps(index).encode(),
        "oci-layout": b'{"imageLayoutVersion":"1.0.0"}',
    }


def oci_archive(path: Path, files: dict[str, bytes]) -> Path:
    path.write_bytes(tar([member(name, content) for name, content in files.items()]))
    return path


def oci_folder(path: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


def _descriptor(content: bytes, kind: str) -> dict:
    return {
        "mediaType": f"application/vnd.oci.image.{kind}",
        "digest": f"sha256:{digest(content)}",
        "size": len(content),
    }
