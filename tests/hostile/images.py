"""Cases 1-9, 13 and 15: images that are not what they say, or that bring something along."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import docker
from fairnode import errors
from fairnode.algorithms.archive import ArchiveLimits, read_archive
from fairnode.engine import Phase, VisitSpec
from fairnode.engine_docker.lockdown import container_name
from fairnode.engine_docker.probe import attack_spec
from tests.hostile.case import Outcome, Target, case, contained, refused
from tests.hostile.forge import MACHINE, config, docker_archive, layer, member, oci_archive, oci_blobs

OTHER_MACHINE = {"amd64": "arm64", "arm64": "amd64"}[MACHINE]


def spec_of(target: Target, image_id: str = "") -> VisitSpec:
    spec = attack_spec(target.engine, target.image_id, target.program, ["rights"])
    return replace(spec, image_id=image_id or target.image_id)


def told(attempt: Callable[[], object]) -> Outcome:
    """Refused with the first line of what the node says."""
    try:
        attempt()
    except (errors.NotValid, errors.NotAllowed, errors.NotFound) as error:
        where = f" ({error.findings[0].where}: {error.findings[0].what})" if error.findings else ""
        return refused(True, f"{error.what}{where}")
    return refused(False, "was taken")


def loaded(target: Target, path: Path) -> str:
    """Load an archive, note what it came to, and take it from the engine again; its image ID."""
    image_id = target.engine.load_image(path).image_id
    client = docker.APIClient()
    client.remove_image(image_id, force=True)
    client.close()
    return image_id


def archive(target: Target, *layers: bytes, **changes: object) -> Outcome:
    """Hand in an archive that was forged."""
    path = docker_archive(target.folder / f"{uuid4().hex}.tar", *layers, **changes)
    return told(lambda: target.engine.load_image(path))


def built(target: Target, *lines: str) -> tuple[docker.APIClient, str]:
    """An image made on the engine behind the node's back, as an administrator could."""
    client = docker.APIClient()
    recipe = io.BytesIO("\n".join([f"FROM {target.image_id}", *lines]).encode())
    tag = f"fairnode/hostile:{uuid4().hex[:12]}"
    for answer in client.build(fileobj=recipe, tag=tag, rm=True, decode=True, network_mode="none"):
        assert "error" not in answer, answer
    return client, tag


@case(1, "an image that was not approved, under the tag of one that was", "refused")
def unapproved(target: Target) -> Outcome:
    client, tag = built(target, "ENV EVIL=1")
    try:
        return told(lambda: target.engine.prepare(spec_of(target, tag)))
    finally:
        client.remove_image(tag)
        client.close()


@case(2, "the approved tag is pointed at another image after the container was made")
def repointed(target: Target) -> Outcome:
    client, tag = built(target, "ENV EVIL=1")
    try:
        honest = client.inspect_image(target.image_id)["Id"]
        client.tag(honest, f"{tag}-approved")
        spec = spec_of(target, f"{tag}-approved")
        target.engine.prepare(spec)
        client.tag(tag, f"{tag}-approved")
        target.engine.start(spec.visit_id)
        name = container_name(target.engine.node, spec.visit_id)
        ran = client.inspect_container(name)["Image"]
        return contained(ran == honest, "the container kept the image that was checked")
    finally:
        target.engine.remove(spec.visit_id)
        client.remove_image(f"{tag}-approved")
        client.remove_image(tag)
        client.close()


@case(3, "a layer changed under an unchanged configuration, nothing loaded before", "refused")
def tampered(target: Target) -> Outcome:
    return archive(target, layer(member("evil", b"x")), about=config(layer()))


@case(3, "a layer changed under an unchanged configuration, the honest image loaded before", "refused")
def tampered_again(target: Target) -> Outcome:
    honest = target.engine.load_image(docker_archive(target.folder / "honest.tar"))
    outcome = archive(target, layer(member("evil", b"x")), about=config(layer()))
    target.engine.daemon.ask(lambda api: api.remove_image(honest.image_id, force=True))
    return outcome


@case(4, "one more layer on the approved image", "refused")
def one_more_layer(target: Target) -> Outcome:
    client, tag = built(target, "RUN touch /evil")
    try:
        return told(lambda: target.engine.prepare(spec_of(target, tag)))
    finally:
        client.remove_image(tag)
        client.close()


@case(4, "the approved layers under another configuration", "refused")
def other_configuration(target: Target) -> Outcome:
    client, tag = built(target, 'ENTRYPOINT ["python3", "-c", "evil"]')
    try:
        return told(lambda: target.engine.prepare(spec_of(target, tag)))
    finally:
        client.remove_image(tag)
        client.close()


@case(5, "VOLUME in the archive", "refused")
def volume(target: Target) -> Outcome:
    return archive(target, about=config(layer(), Volumes={"/data": {}}))


@case(5, "VOLUME in an image that came to the engine another way, approved by mistake", "refused")
def volume_on_engine(target: Target) -> Outcome:
    client, tag = built(target, "VOLUME /data")
    try:
        spec = replace(spec_of(target, tag), identity=target.engine.identity(tag))
        outcome = told(lambda: target.engine.prepare(spec))
        gone = target.engine.look(spec.visit_id).phase is Phase.ABSENT
        return outcome if gone else refused(False, "the container is still there")
    finally:
        client.remove_image(tag)
        client.close()


@case(6, "HEALTHCHECK in the archive", "refused")
def healthcheck(target: Target) -> Outcome:
    return archive(target, about=config(layer(), Healthcheck={"Test": ["CMD-SHELL", "evil"]}))


@case(6, "HEALTHCHECK, STOPSIGNAL, USER root and ENV in an image on the engine")
def settings_on_engine(target: Target) -> Outcome:
    lines = ("HEALTHCHECK CMD evil", "STOPSIGNAL 19", "USER root", "ENV HOME=/ TMPDIR=/ PYTHONHASHSEED=1")
    client, tag = built(target, *lines)
    spec = replace(spec_of(target, tag), identity=target.engine.identity(tag))
    try:
        target.engine.prepare(spec)
        found = client.inspect_container(container_name(target.engine.node, spec.visit_id))["Config"]
        kept = [found["User"] != "65534:65534", found["Healthcheck"] != {"Test": ["NONE"]}]
        kept += [found["StopSignal"] != "SIGKILL", "PYTHONHASHSEED=1" in found["Env"]]
        return contained(not any(kept), "all four overridden by the node's own")
    finally:
        target.engine.remove(spec.visit_id)
        client.remove_image(tag)
        client.close()


@case(7, "WORKDIR /proc/self/fd/8", "refused")
def working_directory(target: Target) -> Outcome:
    return archive(target, about=config(layer(), WorkingDir="/proc/self/fd/8"))


@case(8, "ONBUILD", "refused")
def on_build(target: Target) -> Outcome:
    return archive(target, about=config(layer(), OnBuild=["RUN evil"]))


@case(8, "an image for another processor", "refused")
def other_processor(target: Target) -> Outcome:
    return archive(target, about={**config(layer()), "architecture": OTHER_MACHINE})


@case(8, "an index with a second platform", "refused")
def second_platform(target: Target) -> Outcome:
    path = oci_archive(target.folder / "two.tar", oci_blobs(platforms=2))
    return told(lambda: target.engine.load_image(path))


@case(8, "an archive that is one image for a classic store and another for a new one", "refused")
def two_faces(target: Target) -> Outcome:
    evil = oci_blobs(layer(member("evil", b"x")))
    return archive(target, change=lambda m: [*m, *(member(name, body) for name, body in evil.items())])


MEMBERS = {
    "../ in the archive": member("../../etc/cron.d/evil", b"x"),
    "an absolute path in the archive": member("/etc/cron.d/evil", b"x"),
    "a symlink in the archive": member("link", type=tarfile.SYMTYPE, linkname="/etc"),
    "a hard link in the archive": member("link", type=tarfile.LNKTYPE, linkname="config.json"),
    "a device in the archive": member("disk", type=tarfile.BLKTYPE, devmajor=8),
    "a second manifest.json in the archive": member("manifest.json", b"[]"),
}
LAYER_MEMBERS = {
    "../ in a layer": member("../../etc/cron.d/evil", b"x"),
    "an absolute path in a layer": member("/etc/cron.d/evil", b"x"),
    "a hard link out of a layer": member("link", type=tarfile.LNKTYPE, linkname="../../etc/shadow"),
    "a device in a layer": member("disk", type=tarfile.BLKTYPE, devmajor=8),
}


def _add_members() -> None:
    for name, extra in MEMBERS.items():
        case(9, name, "refused")(lambda t, e=extra: archive(t, change=lambda m: [*m, e]))
    for name, extra in LAYER_MEMBERS.items():
        case(9, name, "refused")(lambda t, e=extra: archive(t, layer(e)))


_add_members()


@case(9, "a million members in the archive", "refused", is_long=True)
def many_members(target: Target) -> Outcome:
    path = target.folder / "many.tar"
    _write_many(path.open("wb"))
    return told(lambda: target.engine.load_image(path))


@case(9, "a million files in a layer, packed", "refused", is_long=True)
def many_files(target: Target) -> Outcome:
    body = io.BytesIO()
    with gzip.GzipFile(fileobj=body, mode="wb", compresslevel=1) as packed:
        _write_many(packed)
    return archive(
        target, b"", about=config(b""), change=lambda m: [member(m[0][0].name, body.getvalue()), *m[1:]]
    )


def _write_many(file: io.BufferedIOBase) -> None:
    block = b"".join(tarfile.TarInfo(f"f{number}").tobuf(tarfile.USTAR_FORMAT) for number in range(10_000))
    with file:
        for _ in range(100):
            file.write(block)
        file.write(bytes(1024))


@case(9, "a layer of kilobytes that unpacks to gigabytes", "refused")
def bomb(target: Target) -> Outcome:
    header = tarfile.TarInfo("zeros")
    header.size = 64 << 30
    body = io.BytesIO()
    with gzip.GzipFile(fileobj=body, mode="wb", compresslevel=9) as packed:
        packed.write(header.tobuf(tarfile.GNU_FORMAT))
        for _ in range(256):
            packed.write(bytes(1 << 20))
    path = docker_archive(
        target.folder / "bomb.tar",
        layer(),
        change=lambda m: [member(m[0][0].name, body.getvalue()), *m[1:]],
    )
    limits = ArchiveLimits(unpacked_bytes=128 << 20)
    outcome = told(lambda: read_archive(path, MACHINE, limits))
    return replace(outcome, figure=f"{path.stat().st_size >> 10} KiB of archive; {outcome.figure}")


@case(9, "a header that asks for a terabyte of memory", "refused")
def header_bomb(target: Target) -> Outcome:
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 1 << 40
    path = target.folder / "header.tar"
    path.write_bytes(info.tobuf(tarfile.GNU_FORMAT))
    return told(lambda: target.engine.load_image(path))


@case(9, "a manifest nested a hundred thousand deep", "refused")
def deep_manifest(target: Target) -> Outcome:
    return archive(target, change=lambda m: [*m[:-1], member("manifest.json", b"[" * 100_000)])


@case(9, "the name of an image that others use", "contained")
def others_name(target: Target) -> Outcome:
    client = docker.APIClient()
    try:
        before = client.inspect_image(target.image_id)["Id"]
        path = docker_archive(target.folder / "names.tar", tags=("fairnode/base:bookworm",))
        forged = loaded(target, path)
        after = client.inspect_image(target.image_id)["Id"]
        return contained(before == after != forged, "the names in an archive are not taken over")
    finally:
        client.close()


@case(13, "labels that make a container look like a visit of this node")
def spoofed_labels(target: Target) -> Outcome:
    node = target.engine.node
    labels = (
        f'LABEL fairnode.node="{node}" fairnode.visit="spoof" fairnode.deadline="2000-01-01T00:00:00+00:00"'
    )
    client, tag = built(target, labels)
    made = client.create_container(tag, ["true"], network_disabled=True)
    try:
        seen = {trace.visit_id for trace in target.engine.list_visits()}
        image = target.engine.load_image(_saved(client, tag, target.folder / "spoof.tar"))
        kept = client.inspect_image(image.image_id)["Config"].get("Labels")
        client.remove_image(image.image_id, force=True)
        return contained(
            "spoof" not in seen and not kept, "not taken for a visit; labels are dropped on loading"
        )
    finally:
        client.remove_container(made["Id"])
        client.remove_image(tag)
        client.close()


@case(15, "the image is removed between check and start")
def removed(target: Target) -> Outcome:
    client, tag = built(target, "ENV ONCE=1")
    spec = replace(spec_of(target, tag), identity=target.engine.identity(tag))
    try:
        target.engine.prepare(spec)
        try:
            client.remove_image(tag, force=True, noprune=False)
            target.engine.start(spec.visit_id)
            figure = "the container kept the layers that were checked"
        except errors.FairnodeError as error:
            figure = f"not started: {error.what}"
        return contained(True, figure)
    finally:
        target.engine.remove(spec.visit_id)
        client.close()


def _saved(client: docker.APIClient, tag: str, path: Path) -> Path:
    with path.open("wb") as file:
        file.writelines(client.get_image(tag))
    with tarfile.open(path) as saved:
        assert json.load(saved.extractfile("manifest.json"))
    return path
