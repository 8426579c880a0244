"""Reads an image archive that a stranger handed in, and writes a clean one from what was found good.

Taken: `docker save` (docker-archive), and OCI image layouts as a directory or tar. Every layer is unpacked
once, as a stream, to compute its digest and to look at its members; nothing is written to disk and nothing
of the image is run. The archive that goes to the engine is written anew: only the checked layers and the
settings of `ImageConfig`, no tags, labels, history or second platform.
Sources: Docker image specification v1.2; OCI image specification 1.1, "Image Layout", "Image Configuration".
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from fairnode.algorithms.blobs import Blobs, LayerStream, open_blobs
from fairnode.algorithms.identity import DIGEST, ImageConfig, image_config
from fairnode.algorithms.sbom import Package, keeps_packages, packages_in
from fairnode.algorithms.tar import Kind, Member, TarReader
from fairnode.errors import Finding, NotValid

JSON_BYTES = 1 << 20
PACKAGE_FILE_BYTES = 16 << 20
_TO_DO = "Build the image anew as the guide for authors says and save it with `docker save`."
WHITEOUT, OPAQUE = ".wh.", ".wh..wh..opq"
_HIDDEN_PLACES = ("/proc", "/sys", "/dev", "/fairnode")


@dataclass(frozen=True)
class ArchiveLimits:
    """How much an image may be: bytes as unpacked, members of all layers, layers."""

    unpacked_bytes: int = 8 << 30
    members: int = 500_000
    layers: int = 127


@dataclass(frozen=True)
class CheckedImage:
    """An image whose archive was read to the end and found good.

    `blobs` names the archive's member of each layer, in order; `sizes` the bytes of each as unpacked.
    """

    config: ImageConfig
    blobs: tuple[str, ...]
    sizes: tuple[int, ...]
    packages: tuple[Package, ...]

    @property
    def identity(self) -> str:
        """The image's identity, see `fairnode.algorithms.identity`."""
        return self.config.identity


def read_archive(path: Path, architecture: str, limits: ArchiveLimits | None = None) -> CheckedImage:
    """Check the archive at `path` for a node of this `architecture` ("amd64", "arm64").

    Raises `errors.NotValid` with findings for one that is damaged, hostile, or not fit for a visit.
    """
    with closing(open_blobs(path)) as blobs:
        config, names = _describe(blobs)
        _check_config(config, names, architecture, limits or ArchiveLimits())
        settings = image_config(config, config.get("config") or {}, config["rootfs"]["diff_ids"])
        files: dict[str, bytes] = {}
        sizes = _check_layers(blobs, names, settings.diff_ids, files, limits or ArchiveLimits())
        return CheckedImage(settings, names, sizes, packages_in(files))


def clean_archive(path: Path, image: CheckedImage, tag: str) -> Iterator[bytes]:
    """The bytes of a docker-archive with just this image, under the name `tag`."""
    config = clean_config(image.config)
    config_name = hashlib.sha256(config).hexdigest() + ".json"
    layers = [f"{diff_id.removeprefix('sha256:')}.tar" for diff_id in image.config.diff_ids]
    manifest = json.dumps([{"Config": config_name, "RepoTags": [tag], "Layers": layers}]).encode()
    yield from _tar_member(config_name, len(config), iter([config]))
    with closing(open_blobs(path)) as blobs:
        seen: set[str] = set()
        for name, blob, size in zip(layers, image.blobs, image.sizes, strict=True):
            if name not in seen:
                seen.add(name)
                stream = LayerStream(blobs.open(blob))
                yield from _tar_member(name, size, iter(partial(stream.read, 1 << 20), b""))
    yield from _tar_member("manifest.json", len(manifest), iter([manifest]))
    yield b"\0" * 1024


def clean_config(config: ImageConfig) -> bytes:
    """The image configuration that says only what the identity covers; its digest is the classic image ID."""
    settings = {
        "Entrypoint": list(config.entrypoint),
        "Cmd": list(config.command),
        "Env": list(config.environment),
        "User": config.user,
        "WorkingDir": config.working_directory,
    }
    content = {
        "architecture": config.architecture,
        "os": config.os,
        "created": "1970-01-01T00:00:00Z",
        "config": {key: value for key, value in settings.items() if value},
        "rootfs": {"type": "layers", "diff_ids": list(config.diff_ids)},
    }
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


def _describe(blobs: Blobs) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The configuration and the members of the layers; where an archive tells it twice, both must agree."""
    told = []
    if "manifest.json" in blobs.names:
        told.append(_docker_archive(blobs))
    if "index.json" in blobs.names:
        told.append(_oci_layout(blobs))
    if not told:
        raise NotValid(
            "The file is no image archive: it has neither manifest.json nor index.json.", to_do=_TO_DO
        )
    if len(told) == 2 and told[0][0] != told[1][0]:
        raise NotValid("The archive tells of two different images.", to_do=_TO_DO)
    return told[0]


def _docker_archive(blobs: Blobs) -> tuple[dict[str, Any], tuple[str, ...]]:
    manifest = _json(blobs, "manifest.json")
    if not (isinstance(manifest, list) and len(manifest) == 1 and isinstance(manifest[0], dict)):
        raise NotValid("The archive must hold one image.", to_do=_TO_DO)
    config, layers = manifest[0].get("Config"), manifest[0].get("Layers")
    if not (isinstance(config, str) and isinstance(layers, list) and _is_texts(layers)):
        raise _unreadable("manifest.json")
    return _mapping(blobs, config), tuple(layers)


def _oci_layout(blobs: Blobs) -> tuple[dict[str, Any], tuple[str, ...]]:
    index = _mapping(blobs, "index.json")
    for _ in range(2):  # an index may name one index of platforms
        named = index.get("manifests") or []
        if not isinstance(named, list):
            raise _unreadable("index.json")
        images = [d for d in named if isinstance(d, dict) and not _is_attestation(d)]
        if len(images) != 1:
            raise NotValid("The archive must hold one image for one platform.", to_do=_TO_DO)
        index = _mapping(blobs, _blob(blobs, images[0]))
        if "layers" in index:
            if "manifests" in index:
                raise NotValid("The archive has a document that tells of two images.", to_do=_TO_DO)
            break
    layers, config = index.get("layers"), index.get("config")
    if not (isinstance(layers, list) and isinstance(config, dict)):
        raise _unreadable("index.json")
    return _mapping(blobs, _blob(blobs, config)), tuple(
        _blob(blobs, layer, checked=False) for layer in layers
    )


def _is_attestation(descriptor: Mapping[str, Any]) -> bool:
    notes = descriptor.get("annotations")
    return isinstance(notes, dict) and notes.get("vnd.docker.reference.type") == "attestation-manifest"


def _blob(blobs: Blobs, descriptor: object, *, checked: bool = True) -> str:
    """The member that a descriptor names by digest; layers are checked by their diff_id later."""
    digest = descriptor.get("digest") if isinstance(descriptor, dict) else None
    if not (isinstance(digest, str) and DIGEST.match(digest)):
        raise _unreadable("a descriptor")
    name = f"blobs/sha256/{digest.removeprefix('sha256:')}"
    if checked and hashlib.sha256(blobs.read(name, JSON_BYTES)).hexdigest() != name.rpartition("/")[2]:
        raise NotValid("The archive is damaged: a blob is not what its name says.", to_do=_TO_DO)
    return name


def _mapping(blobs: Blobs, name: str) -> dict[str, Any]:
    content = _json(blobs, name)
    if not isinstance(content, dict):
        raise _unreadable(name)
    return content


def _json(blobs: Blobs, name: str) -> object:
    try:
        text = blobs.read(name, JSON_BYTES).decode("utf-8")
        return json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise _unreadable(name) from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object in which each key stands once: of two, readers take different ones."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


def _unreadable(name: str) -> NotValid:
    return NotValid(f"The archive is damaged: {name[:100]!r} cannot be read.", to_do=_TO_DO)


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _check_config(
    config: Mapping[str, Any], names: tuple[str, ...], architecture: str, limits: ArchiveLimits
) -> None:
    """Raise `NotValid` for settings of the wrong shape, or that would reach beyond the sandbox."""
    findings = [*_shape(config)] or [*_policy(config, architecture)]
    if not findings and not 0 < len(names) == len(config["rootfs"]["diff_ids"]) <= limits.layers:
        findings.append(Finding("rootfs", f"must name 1 to {limits.layers} layers, as many as there are"))
    if findings:
        raise NotValid("The image cannot visit data.", to_do=_TO_DO, findings=tuple(findings))


def _shape(config: Mapping[str, Any]) -> Iterator[Finding]:
    rootfs, settings = config.get("rootfs"), config.get("config") or {}
    if not isinstance(rootfs, dict) or not _is_texts(rootfs.get("diff_ids")):
        yield Finding("rootfs", "does not name its layers")
    elif not all(DIGEST.match(diff_id) for diff_id in rootfs["diff_ids"]):
        yield Finding("rootfs", "names a layer by something else than sha256")
    if not isinstance(settings, dict):
        yield Finding("config", "is not an object")
        return
    for key in ("Entrypoint", "Cmd", "Env"):
        if settings.get(key) is not None and not _is_texts(settings[key]):
            yield Finding(f"config.{key}", "is not a list of texts")
        elif not all(map(_is_writable, settings.get(key) or ())):
            yield Finding(f"config.{key}", "has half a character, or a nought")
    for key in ("User", "WorkingDir"):
        if not isinstance(settings.get(key) or "", str) or not _is_writable(settings.get(key) or ""):
            yield Finding(f"config.{key}", "is not a text")


def _is_writable(text: str) -> bool:
    """Whether a text can be written as UTF-8 and handed to a program."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _policy(config: Mapping[str, Any], architecture: str) -> Iterator[Finding]:
    settings = config.get("config") or {}
    if (config.get("os"), config.get("architecture")) != ("linux", architecture):
        yield Finding("architecture", f"must be linux/{architecture}, as this node is")
    if settings.get("Volumes"):
        yield Finding("VOLUME", "would let the container write to the node's disk; remove the line")
    if (settings.get("Healthcheck") or {}) not in ({}, {"Test": ["NONE"]}):
        yield Finding("HEALTHCHECK", "starts commands of its own; remove the line")
    if settings.get("OnBuild"):
        yield Finding("ONBUILD", "has no meaning here; remove the line")
    folder = str(settings.get("WorkingDir") or "/")
    if not _is_plain_folder(folder):
        yield Finding("WORKDIR", "must be a plain absolute path outside /proc, /sys, /dev and /fairnode")
    for setting in settings.get("Env") or ():
        if "=" not in setting or setting.startswith("=") or not setting.isprintable() or len(setting) > 4096:
            yield Finding("ENV", "has an entry that is not NAME=value in printable characters")


def _is_plain_folder(folder: str) -> bool:
    path = PurePosixPath(folder)
    return (
        path.is_absolute()
        and ".." not in path.parts
        and folder.isprintable()
        and not any(path.is_relative_to(place) for place in _HIDDEN_PLACES)
    )


def _check_layers(
    blobs: Blobs,
    names: tuple[str, ...],
    diff_ids: tuple[str, ...],
    files: dict[str, bytes],
    limits: ArchiveLimits,
) -> tuple[int, ...]:
    """Read every layer to its end; fills `files` with those that tell of packages."""
    sizes: list[int] = []
    members = 0
    for number, (name, diff_id) in enumerate(zip(names, diff_ids, strict=True), start=1):
        stream = LayerStream(blobs.open(name))
        room = limits.unpacked_bytes - sum(sizes)
        tar = TarReader(stream, most_members=limits.members - members, most_bytes=room)
        for member in tar:
            members += 1
            _check_member(member, number)
            _keep(member, tar, files)
        if stream.digest() != diff_id:
            raise NotValid(
                f"Layer {number} of the image is not the one its configuration names.", to_do=_TO_DO
            )
        sizes.append(stream.size)
    return tuple(sizes)


def _check_member(member: Member, layer: int) -> None:
    where = f"layer {layer}: {member.name[:100]!r}"
    leads_out = member.name.startswith("/") or ".." in member.parts
    if member.kind is Kind.HARDLINK:
        leads_out |= ".." in member.link.split("/")
    if leads_out:
        findings = (Finding(where, "leads out of the image"),)
        raise NotValid(
            "The image has a member with a path it must not have.", to_do=_TO_DO, findings=findings
        )
    if any(part.startswith(WHITEOUT) for part in member.parts) and not _is_whiteout(member):
        findings = (Finding(where, "is no proper whiteout"),)
        raise NotValid("The image takes away what nobody can take away.", to_do=_TO_DO, findings=findings)
    if member.kind in (Kind.DEVICE, Kind.PIPE):
        findings = (Finding(where, f"is a {member.kind}"),)
        raise NotValid("The image has a member that is no file.", to_do=_TO_DO, findings=findings)


def _is_whiteout(member: Member) -> bool:
    """Whether a member takes away one thing of an earlier layer, or all of a folder, and is nothing else."""
    *folders, name = member.parts
    gone = name.removeprefix(WHITEOUT)
    is_plain = member.kind is Kind.FILE and member.size == 0
    is_named = name == OPAQUE or (gone not in ("", ".", "..") and not gone.startswith(WHITEOUT))
    return is_plain and is_named and not any(folder.startswith(WHITEOUT) for folder in folders)


def _keep(member: Member, tar: TarReader, files: dict[str, bytes]) -> None:
    path = "/".join(member.parts)
    folder, _, name = path.rpartition("/")
    if member.kind is not Kind.FOLDER:
        _forget(files, path)  # what was there is replaced, by a link perhaps
    if name == OPAQUE:
        _forget(files, folder + "/")
    elif name.startswith(WHITEOUT):
        _forget(files, f"{folder}/{name[4:]}".lstrip("/"))
    elif member.kind is Kind.FILE and keeps_packages(path) and member.size <= PACKAGE_FILE_BYTES:
        files[path] = tar.read(PACKAGE_FILE_BYTES)


def _forget(files: dict[str, bytes], gone: str) -> None:
    for path in [p for p in files if p == gone or p.startswith(gone.rstrip("/") + "/")]:
        del files[path]


def _tar_member(name: str, size: int, content: Iterator[bytes]) -> Iterator[bytes]:
    fields = (
        name.encode().ljust(100, b"\0"), b"0000644\0", b"0000000\0", b"0000000\0",
        b"%011o\0" % size, b"00000000000\0", b" " * 8, b"0", b"\0" * 100, b"ustar\0", b"00",
    )  # fmt: skip
    header = b"".join(fields).ljust(512, b"\0")
    yield header[:148] + b"%06o\0 " % sum(header) + header[156:]
    yield from content
    yield b"\0" * (-size % 512)
