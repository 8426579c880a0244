"""Builds the image of an algorithm so that the same source gives the same identity.

The engine's own builder runs the Dockerfile without network, with the wheels that requirements.txt pins by
hash unpacked beforehand. Then every layer above the base is written anew with times cut to the base's, since
times are all in which two such builds differ, and the image is loaded through the same check as a stranger's.

    python -m fairnode.engine_docker.build FOLDER [--out FOLDER]
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import io
import json
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from fairnode import errors
from fairnode.algorithms.archive import clean_archive, read_archive
from fairnode.algorithms.identity import ARCHITECTURES
from fairnode.algorithms.manifest import read_manifest, with_identity
from fairnode.engine import LoadedImage
from fairnode.engine_docker import images
from fairnode.engine_docker.daemon import Daemon

BASE = "fairnode/base:bookworm"
PYTHON = "3.11"
EPOCH = 1686355200  # as docker/base-image.sh
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc", "tests", ".*")


@dataclass(frozen=True)
class Source:
    """An algorithm's folder, the kit to put beside it, and the image to build on."""

    folder: Path
    kit: Path
    base: str = BASE


def hand_in(daemon: Daemon, source: Source, folder: Path) -> LoadedImage:
    """Build, and write what an author hands in to `folder`: image.tar, algorithm.toml with the identity."""
    folder.mkdir(parents=True, exist_ok=True)
    text = (source.folder / "algorithm.toml").read_bytes()
    read_manifest(text)
    built = build(daemon, source, folder / "image.tar")
    (folder / "algorithm.toml").write_bytes(with_identity(text, built.identity))
    return built


def build(daemon: Daemon, source: Source, archive: Path | None = None) -> LoadedImage:
    """Build, load and name the image; nothing is done when one from the very same source is there.

    With `archive` the image is also written there, for another node. Raises `errors.NotValid` with the
    builder's last words when it does not build.
    """
    with tempfile.TemporaryDirectory(prefix="fairnode-build-") as folder:
        work = Path(folder)
        context = _context(source, work / "context")
        tag = f"fairnode/built:{_digest(daemon, source.base, context)}"
        found = _built_before(daemon, tag)
        if found is None:
            found = _build(daemon, source, context, work)
            daemon.ask(lambda api: api.tag(found.image_id, tag))
        if archive is not None:
            _save(daemon, found.image_id, archive, work)
        return found


def _built_before(daemon: Daemon, tag: str) -> LoadedImage | None:
    try:
        image = daemon.image(tag)
    except errors.NotFound:
        return None
    return LoadedImage(images.config_of(image).identity, str(image["Id"]))


def _build(daemon: Daemon, source: Source, context: Path, work: Path) -> LoadedImage:
    _unpack_wheels(context / "source/requirements.txt", context / "packages")
    raw = work / "raw.tar"
    built = _run_dockerfile(daemon, context, source.base)
    try:
        _write(raw, images.save(daemon, built))
    finally:
        daemon.attempt(lambda api: api.remove_image(built, noprune=False))
    base_layers = images.config_of(daemon.image(source.base)).diff_ids
    even = work / "even.tar"
    with even.open("wb") as file:
        _even_out(raw, base_layers, file)
    return images.load(daemon, even)


def _context(source: Source, context: Path) -> Path:
    """What the builder may see: the Dockerfile, the source without its tests, and the kit."""
    shutil.copytree(source.folder, context / "source", ignore=_LEFT_OUT)
    shutil.copytree(source.kit, context / "kit", ignore=shutil.ignore_patterns("__pycache__", "README*"))
    shutil.copy(source.folder / "Dockerfile", context / "Dockerfile")
    (context / "packages").mkdir()
    return context


def _digest(daemon: Daemon, base: str, context: Path) -> str:
    digest = hashlib.sha256(images.config_of(daemon.image(base)).identity.encode())
    for path in sorted(p for p in context.rglob("*") if p.is_file()):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"\n{path.relative_to(context)} {os.access(path, os.X_OK)} {content}".encode())
    return digest.hexdigest()[:32]


def _unpack_wheels(requirements: Path, target: Path) -> None:
    """Fetch what is pinned by hash, for the image's Python and not for ours, and unpack it."""
    if not requirements.exists():
        return
    machine = platform.machine()
    wanted = [
        f"--platform={kind}_{machine}" for kind in ("manylinux_2_28", "manylinux_2_17", "manylinux2014")
    ]
    command = [
        sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes",
        "--no-deps", "--no-compile", "--only-binary=:all:", f"--python-version={PYTHON}",
        "--implementation=cp", *wanted, f"--target={target}", f"--requirement={requirements}",
    ]  # fmt: skip
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise errors.Unavailable(
            "The packages that the algorithm needs could not be fetched.",
            to_do="Is the package index reachable, and does requirements.txt pin every package by hash?",
            internal=done.stderr[-4000:],
        )
    shutil.rmtree(target / "bin", ignore_errors=True)  # scripts that name this machine's Python
    for record in target.glob("*.dist-info/RECORD"):
        record.unlink()  # in an order of its own, and nobody uninstalls from an image


def _run_dockerfile(daemon: Daemon, context: Path, base: str) -> str:
    """Let the engine build; the ID of what came out."""
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w") as tar:
        tar.add(context, arcname=".", filter=_nobodys)
    body.seek(0)
    answers = daemon.ask(
        lambda api: list(
            api.build(
                fileobj=body, custom_context=True, dockerfile="Dockerfile", buildargs={"BASE": base},
                network_mode="none", rm=True, forcerm=True, pull=False, decode=True,
            )
        )
    )  # fmt: skip
    said = "".join(str(a.get("stream", "")) + str(a.get("error", "")) for a in answers)
    built = [a["aux"]["ID"] for a in answers if "ID" in a.get("aux", {})]
    if not built or any("error" in a for a in answers):
        raise errors.NotValid("The Dockerfile does not build.", to_do=said[-2000:])
    return str(built[-1])


def _even_out(raw: Path, base_layers: tuple[str, ...], out: io.BufferedIOBase) -> None:
    """Write the image in `raw` to `out` with every layer above the base evened."""
    with tarfile.open(raw) as archive:
        manifest = json.load(_content(archive, "manifest.json"))[0]
        config = json.load(_content(archive, manifest["Config"]))
        diff_ids = config["rootfs"]["diff_ids"]
        with tarfile.open(fileobj=out, mode="w") as clean:
            layers = []
            for name, diff_id in zip(manifest["Layers"], diff_ids, strict=True):
                content = _content(archive, name).read()
                content = content if diff_id in base_layers else _even_layer(content)
                layers.append(hashlib.sha256(content).hexdigest())
                if f"{layers[-1]}.tar" not in clean.getnames():
                    _add(clean, f"{layers[-1]}.tar", content)
            config["rootfs"]["diff_ids"] = [f"sha256:{layer}" for layer in layers]
            _add(clean, "config.json", json.dumps(config).encode())
            names = [{"Config": "config.json", "RepoTags": [], "Layers": [f"{x}.tar" for x in layers]}]
            _add(clean, "manifest.json", json.dumps(names).encode())


def _even_layer(layer: bytes) -> bytes:
    """The same members in the same order, with times cut to the base's."""
    out = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(layer)) as old, tarfile.open(fileobj=out, mode="w") as new:
        for member in old:
            content = old.extractfile(member) if member.isreg() else None
            new.addfile(_at_base_time(member), content)
    return out.getvalue()


def _at_base_time(member: tarfile.TarInfo) -> tarfile.TarInfo:
    even = copy.copy(member)
    even.mtime = min(int(member.mtime), EPOCH)
    even.uname = even.gname = ""
    even.pax_headers = {k: v for k, v in member.pax_headers.items() if k.startswith("SCHILY.xattr.")}
    return even


def _nobodys(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """A file of the build context as on every author's machine: root's, readable, of the base's time."""
    even = _at_base_time(member)
    even.uid = even.gid = 0
    even.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
    return even


def _content(archive: tarfile.TarFile, name: str) -> io.BufferedIOBase:
    content = archive.extractfile(name)
    assert content is not None
    return content  # type: ignore[return-value]


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mtime = len(content), EPOCH
    archive.addfile(member, io.BytesIO(content))


def _save(daemon: Daemon, image_id: str, archive: Path, work: Path) -> None:
    saved = work / "saved.tar"
    _write(saved, images.save(daemon, image_id))
    checked = read_archive(saved, ARCHITECTURES.get(platform.machine(), platform.machine()))
    _write(archive, clean_archive(saved, checked, images.tag_of(checked.identity)))


def _write(path: Path, chunks: Iterator[bytes]) -> None:
    with path.open("wb") as file:
        file.writelines(chunks)


def main() -> None:
    """The command: builds a folder and prints identity and image ID as JSON."""
    parser = argparse.ArgumentParser(prog="build-algorithm", description=__doc__)
    parser.add_argument("folder", type=Path, help="holds algorithm.toml, Dockerfile and requirements.txt")
    parser.add_argument("--kit", type=Path, default=Path("algorithms/kit"))
    parser.add_argument("--out", type=Path, help="also write image.tar and algorithm.toml here, to hand in")
    given = parser.parse_args()
    source = Source(given.folder, given.kit, os.environ.get("BASE_IMAGE") or BASE)
    with closing(Daemon().patient()) as daemon:
        try:
            built = hand_in(daemon, source, given.out) if given.out else build(daemon, source)
        except errors.FairnodeError as error:
            sys.stderr.write(f"{error}\n{error.internal}\n")
            sys.exit(error.exit_code)
    sys.stdout.write(json.dumps({"identity": built.identity, "image_id": built.image_id}) + "\n")


if __name__ == "__main__":
    main()
