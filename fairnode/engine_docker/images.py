"""Images on the engine: loaded only as we wrote them anew, and known by their content."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

from fairnode import errors
from fairnode.algorithms.archive import ArchiveLimits, CheckedImage, clean_archive, clean_config, read_archive
from fairnode.algorithms.identity import ImageConfig, image_config
from fairnode.engine import LoadedImage
from fairnode.engine_docker.daemon import Daemon

_NO_ROOM = "no space left"  # the image may be as it must; all other complaints of an engine are about it


def config_of(image: dict[str, Any]) -> ImageConfig:
    """The config of an inspected image."""
    return image_config(image, image.get("Config") or {}, (image.get("RootFS") or {}).get("Layers") or ())


def tag_of(identity: str) -> str:
    """Our name for an image on the engine, so that it is not taken for one that nobody needs."""
    return "fairnode/algorithm:" + identity.removeprefix("sha256:")[:32]


def load(daemon: Daemon, archive: Path, limits: ArchiveLimits | None = None) -> LoadedImage:
    """Check an archive, load what was found good, and check what the engine has then."""
    checked = read_archive(archive, daemon.report().architecture, limits)
    return load_checked(daemon, archive, checked)


def load_checked(daemon: Daemon, archive: Path, checked: CheckedImage) -> LoadedImage:
    """Load an archive that was read before; nothing is done when its image is there."""
    present, complaint = find(daemon, checked), ""
    if present is None:
        with closing(daemon.patient()) as patient:
            complaint = patient.load(clean_archive(archive, checked, tag_of(checked.identity)))
        present = find(daemon, checked)
    if present is not None:
        return present
    if complaint and _NO_ROOM not in complaint:
        raise errors.NotValid(
            "The engine cannot unpack the image.",
            to_do="Build the image anew, in one piece, and try it with `docker load`.",
            internal=complaint,
        )
    raise errors.Unavailable(
        "The engine did not take the image.",
        to_do="The node's operator makes room on the engine's disk and runs `fairnode doctor`.",
        internal=complaint,
    )


def find(daemon: Daemon, checked: CheckedImage) -> LoadedImage | None:
    """The image on the engine with this very content. Classic stores name it by its config, others do not."""
    for name in ("sha256:" + sha256(clean_config(checked.config)).hexdigest(), tag_of(checked.identity)):
        try:
            image = daemon.image(name)
        except errors.NotFound:
            continue
        if config_of(image).identity == checked.identity:
            return LoadedImage(checked.identity, str(image["Id"]))
    return None


def save(daemon: Daemon, image_id: str) -> Iterator[bytes]:
    """An image as the engine saves it (docker-archive)."""
    chunks: Iterator[bytes] = daemon.ask(lambda api: api.get_image(image_id))
    return chunks
