"""Image archives: the same identity from every form, and a sentence for every hostile or damaged one."""

from __future__ import annotations

import copy
import gzip
import io
import json
import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairnode.algorithms.archive import ArchiveLimits, clean_archive, clean_config, read_archive
from fairnode.algorithms.identity import image_config
from fairnode.algorithms.sbom import Package, packages_in
from fairnode.algorithms.tar import LARGEST_PART, Kind, TarReader
from fairnode.errors import NotValid
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

OTHER_MACHINE = {"amd64": "arm64", "arm64": "amd64"}[MACHINE]


def refused(path, limits=None) -> str:
    with pytest.raises(NotValid) as caught:
        read_archive(path, MACHINE, limits)
    return str(caught.value)


def test_every_form_of_an_image_has_the_same_identity(tmp_path):
    blobs = oci_blobs()
    forms = [
        docker_archive(tmp_path / "docker.tar"),
        docker_archive(tmp_path / "packed.tar", packed=True),
        oci_archive(tmp_path / "oci.tar", blobs),
        oci_folder(tmp_path / "oci", blobs),
    ]
    assert len({read_archive(form, MACHINE).identity for form in forms}) == 1


def test_an_empty_setting_and_none_are_the_same():
    facts = {"os": "linux", "architecture": "amd64"}
    empty = {"Entrypoint": None, "Cmd": [], "Env": None, "User": "", "WorkingDir": ""}
    assert image_config(facts, empty, []).identity == image_config(facts, {}, []).identity
    spelt_by_an_engine = {"Os": "linux", "Architecture": "amd64"}
    assert image_config(spelt_by_an_engine, {}, []).identity == image_config(facts, {}, []).identity


@pytest.mark.parametrize(
    "settings",
    [{"Entrypoint": ["/bin/false"]}, {"Cmd": ["x"]}, {"Env": ["A=b"]}, {"User": "1"}, {"WorkingDir": "/srv"}],
)
def test_whatever_changes_what_runs_changes_the_identity(tmp_path, settings):
    plain = read_archive(docker_archive(tmp_path / "a.tar"), MACHINE)
    other = docker_archive(tmp_path / "b.tar", about=config(layer(), **settings))
    assert read_archive(other, MACHINE).identity != plain.identity


def test_what_is_written_anew_reads_the_same_and_carries_nothing_else(tmp_path):
    about = {**config(layer(), Labels={"a": "b"}, StopSignal="SIGUSR1"), "history": [{"created_by": "me"}]}
    path = docker_archive(tmp_path / "a.tar", about=about, packed=True, tags=("debian:bookworm",))
    image = read_archive(path, MACHINE)
    clean = tmp_path / "clean.tar"
    with clean.open("wb") as file:
        file.writelines(clean_archive(path, image, "ours:1"))
    assert read_archive(clean, MACHINE).identity == image.identity
    with tarfile.open(clean) as archive:
        manifest = json.load(archive.extractfile("manifest.json"))[0]
        assert manifest["RepoTags"] == ["ours:1"]
        told = archive.extractfile(manifest["Config"]).read()
    assert digest(told) + ".json" == manifest["Config"]
    assert told == clean_config(image.config)
    assert b"USR1" not in told
    assert b"created_by" not in told


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"Volumes": {"/data": {}}}, "VOLUME"),
        ({"Healthcheck": {"Test": ["CMD", "true"]}}, "HEALTHCHECK"),
        ({"OnBuild": ["RUN true"]}, "ONBUILD"),
        ({"WorkingDir": "/proc/self/fd/8"}, "WORKDIR"),
        ({"WorkingDir": "/srv/../proc"}, "WORKDIR"),
        ({"WorkingDir": "relative"}, "WORKDIR"),
        ({"WorkingDir": "/fairnode/out"}, "WORKDIR"),
        ({"Env": ["NOVALUE"]}, "ENV"),
        ({"Env": ["A=\x1b[2J"]}, "ENV"),
        ({"Env": "A=b"}, "config.Env"),
        ({"User": 7}, "config.User"),
        ({"Entrypoint": {"a": 1}}, "config.Entrypoint"),
    ],
)
def test_settings_that_reach_beyond_the_sandbox_are_refused(tmp_path, settings, word):
    assert word in refused(docker_archive(tmp_path / "a.tar", about=config(layer(), **settings)))


@pytest.mark.parametrize(
    "change",
    [
        {"architecture": OTHER_MACHINE},
        {"os": "windows"},
        {"rootfs": {}},
        {"rootfs": {"diff_ids": ["sha256:short"]}},
        {"rootfs": {"diff_ids": []}},
        {"rootfs": None},
        {"config": [1]},
        {"config": "x"},
    ],
    ids=str,
)
def test_configurations_of_another_machine_or_shape_are_refused(tmp_path, change):
    refused(docker_archive(tmp_path / "a.tar", about={**config(layer()), **change}))


@pytest.mark.parametrize(
    ("what", "extra"),
    [
        ("leads out", member("../evil", b"x")),
        ("leads out", member("a/../../evil", b"x")),
        ("leads out", member("/etc/passwd", b"x")),
        ("symlink", member("link", type=tarfile.SYMTYPE, linkname="/etc/passwd")),
        ("hard link", member("link", type=tarfile.LNKTYPE, linkname="config.json")),
        ("device", member("disk", type=tarfile.BLKTYPE, devmajor=8)),
        ("device", member("tty", type=tarfile.CHRTYPE)),
        ("pipe", member("pipe", type=tarfile.FIFOTYPE)),
        ("twice", member("manifest.json", b"[]")),
        ("twice", member("./config.json", b"{}")),
    ],
)
def test_members_of_the_archive_that_are_no_plain_files_are_refused(tmp_path, what, extra):
    assert what in refused(docker_archive(tmp_path / "a.tar", change=lambda members: [*members, extra]))


@pytest.mark.parametrize(
    ("what", "extra"),
    [
        ("leads out", member("../evil", b"x")),
        ("leads out", member("/evil", b"x")),
        ("leads out", member("link", type=tarfile.LNKTYPE, linkname="../../etc/passwd")),
        ("device", member("dev/disk", type=tarfile.BLKTYPE, devmajor=8)),
        ("pipe", member("pipe", type=tarfile.FIFOTYPE)),
    ],
)
def test_members_of_a_layer_that_lead_out_or_are_no_files_are_refused(tmp_path, what, extra):
    assert what in refused(docker_archive(tmp_path / "a.tar", layer(extra)))


def test_symlinks_within_a_layer_are_as_common_as_files(tmp_path):
    link = member("bin", type=tarfile.SYMTYPE, linkname="/usr/bin")
    assert read_archive(docker_archive(tmp_path / "a.tar", layer(link)), MACHINE).sizes


def test_too_much_of_anything_is_refused(tmp_path):
    many = docker_archive(
        tmp_path / "many.tar", change=lambda m: [*m, *(member(f"f{i}") for i in range(2100))]
    )
    assert "more than 2000 members" in refused(many)
    within = docker_archive(tmp_path / "within.tar", layer(*(member(f"f{i}") for i in range(2100))))
    assert "more than 2000 members" in refused(within, ArchiveLimits(members=2000))
    bomb = docker_archive(tmp_path / "bomb.tar", layer(member("zeros", bytes(20 << 20))), packed=True)
    assert bomb.stat().st_size < 200_000
    assert "unpacks to more than" in refused(bomb, ArchiveLimits(unpacked_bytes=10 << 20))
    assert "layers" in refused(
        docker_archive(tmp_path / "layers.tar", *[layer()] * 3), ArchiveLimits(layers=2)
    )


def test_a_layer_with_other_bytes_than_its_digest_is_refused(tmp_path):
    good, evil = layer(), layer(member("evil", b"x"))
    refused(docker_archive(tmp_path / "a.tar", evil, about=config(good)))


def test_layers_that_are_missing_cut_or_followed_by_something_are_refused(tmp_path):
    one = layer()
    cut = docker_archive(tmp_path / "cut.tar", one[:700], about=config(one[:700]))
    assert "middle" in refused(cut)
    more = docker_archive(tmp_path / "more.tar", one + b"x" * 512, about=config(one + b"x" * 512))
    assert "follows" in refused(more)
    lacking = docker_archive(tmp_path / "lacking.tar", change=lambda members: members[1:])
    assert "lacks" in refused(lacking)
    packed = gzip.compress(one)
    for number, broken in enumerate((packed[:-30], packed + b"x", b"\x1f\x8b" + b"x" * 50)):
        path = tmp_path / f"packed{number}.tar"
        refused(docker_archive(path, one, change=lambda m, b=broken: [member(m[0][0].name, b), *m[1:]]))
    zstd = docker_archive(
        tmp_path / "z.tar", one, change=lambda m: [member(m[0][0].name, b"\x28\xb5\x2f\xfdxx"), *m[1:]]
    )
    assert "zstd" in refused(zstd)


def test_oci_layouts_with_several_images_or_other_blobs_are_refused(tmp_path):
    assert "one image" in refused(oci_archive(tmp_path / "two.tar", oci_blobs(platforms=2)))
    blobs = oci_blobs()
    index = json.loads(blobs["index.json"])
    name = "blobs/sha256/" + index["manifests"][0]["digest"][7:]
    other = {**blobs, name: blobs[name].replace(b"{", b"{ ", 1)}
    assert "not what its name says" in refused(oci_archive(tmp_path / "other.tar", other))


def test_an_archive_that_tells_of_two_different_images_is_refused(tmp_path):
    def both(members):
        other = oci_blobs(layer(member("evil", b"x")))
        return [*members, *(member(name, content) for name, content in other.items())]

    assert "two different images" in refused(docker_archive(tmp_path / "a.tar", change=both))


def test_links_in_a_layout_folder_are_not_followed(tmp_path):
    folder = oci_folder(tmp_path / "oci", oci_blobs())
    (folder / "index.json").rename(tmp_path / "elsewhere")
    (folder / "index.json").symlink_to(tmp_path / "elsewhere")
    assert "no plain file" in refused(folder)


def test_attestations_beside_the_image_are_left_alone(tmp_path):
    blobs = oci_blobs()
    index = json.loads(blobs["index.json"])
    index["manifests"].append(
        {"digest": "sha256:" + "0" * 64, "annotations": {"vnd.docker.reference.type": "attestation-manifest"}}
    )
    path = oci_archive(tmp_path / "a.tar", {**blobs, "index.json": json.dumps(index).encode()})
    assert (
        read_archive(path, MACHINE).identity
        == read_archive(docker_archive(tmp_path / "b.tar"), MACHINE).identity
    )


@pytest.mark.parametrize(
    "content",
    [b"", b"x", b"\0" * 10240, gzip.compress(b"x"), tar([]), tar([member("readme", b"x")])],
    ids=["empty", "a letter", "noughts", "compressed", "no members", "no manifest"],
)
def test_what_is_no_archive_is_told(tmp_path, content):
    (tmp_path / "a").write_bytes(content)
    refused(tmp_path / "a")


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"{}", b"[1]", b"[" * 100_000, b'[{"Config":1}]', b"\xff", b"null"]
)
def test_a_manifest_of_any_other_shape_is_told(tmp_path, text):
    refused(docker_archive(tmp_path / "a.tar", change=lambda m: [*m[:-1], member("manifest.json", text)]))


WHOLE = tar([member("a", b"x" * 600), member("b/" + "c" * 150, b"y"), member("d", type=tarfile.SYMTYPE)])


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), max_size=6),
    st.integers(0, len(WHOLE)),
)
def test_no_damage_brings_the_reader_down(changes, length):
    content = bytearray(WHOLE[:length])
    for place, value in changes:
        if place < length:
            content[place] = value
    try:
        for one in TarReader(io.BytesIO(content), most_members=100, most_bytes=1 << 20):
            assert one.size >= 0
    except NotValid:
        pass


def is_proper(name: str) -> bool:
    """Whether it is no folder to some readers, and each part of it fits into a file system."""
    return not name.endswith("/") and all(len(part.encode()) <= LARGEST_PART for part in name.split("/"))


names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=180).filter(
    is_proper
)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(names, st.binary(max_size=1500)), max_size=5),
    st.sampled_from([tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]),
)
def test_names_and_contents_are_read_as_the_standard_library_wrote_them(members, form):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as file:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            file.addfile(info, io.BytesIO(content))
    reader = TarReader(io.BytesIO(out.getvalue()), most_members=10, most_bytes=1 << 20)
    assert [(m.name, reader.read(2000)) for m in reader] == members


@pytest.mark.parametrize("name", ["/", "a/", "é" * (LARGEST_PART // 2 + 1)])
def test_a_file_under_a_name_that_readers_take_otherwise_or_no_file_system_holds_is_refused(name):
    content = tar([member(name, b"x")])
    with pytest.raises(NotValid):
        list(TarReader(io.BytesIO(content), most_members=9, most_bytes=1 << 20))


def test_a_long_header_cannot_fill_the_memory():
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 1 << 40
    with pytest.raises(NotValid):
        list(TarReader(io.BytesIO(info.tobuf(tarfile.GNU_FORMAT)), most_members=9, most_bytes=1 << 50))


def test_sparse_files_are_refused():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as file:
        info = tarfile.TarInfo("x")
        info.pax_headers = {"GNU.sparse.major": "1"}
        file.addfile(info)
    with pytest.raises(NotValid):
        list(TarReader(io.BytesIO(out.getvalue()), most_members=9, most_bytes=1 << 20))


def test_kinds_are_told_apart():
    kinds = {tarfile.REGTYPE: Kind.FILE, tarfile.DIRTYPE: Kind.FOLDER, tarfile.LNKTYPE: Kind.HARDLINK}
    content = tar([member(f"m{number}", type=kind) for number, kind in enumerate(kinds)])
    assert [m.kind for m in TarReader(io.BytesIO(content), most_members=9, most_bytes=1 << 20)] == list(
        kinds.values()
    )


STATUS = b"""Package: libc6
Status: install ok installed
Version: 2.36
Description: x
 y

Package: gone
Status: deinstall ok config-files
Version: 1
"""


def test_packages_are_found_where_their_managers_keep_them():
    found = packages_in(
        {
            "var/lib/dpkg/status": STATUS,
            "opt/x/duckdb-2.0.0.dist-info/METADATA": b"Name: duckdb\nVersion: 2.0.0\n\nName: no",
            "lib/apk/db/installed": b"P:musl\nV:1.2\nT:x\n\nP:zlib\nV:1.3\n",
            "usr/lib/R/site-library/survival/DESCRIPTION": b"Package: survival\nVersion: 3.5\n",
        }
    )
    assert found == (
        Package("apk", "musl", "1.2"),
        Package("apk", "zlib", "1.3"),
        Package("cran", "survival", "3.5"),
        Package("deb", "libc6", "2.36"),
        Package("pypi", "duckdb", "2.0.0"),
    )


def test_packages_of_a_later_layer_replace_and_remove_those_of_an_earlier(tmp_path):
    first = layer(
        member("var/lib/dpkg/status", STATUS),
        member("opt/a-1.dist-info/METADATA", b"Name: a\nVersion: 1\n"),
        member("opt/b-1.dist-info/METADATA", b"Name: b\nVersion: 1\n"),
    )
    second = layer(
        member("opt/.wh.a-1.dist-info"), member("opt/c-1.dist-info/METADATA", b"Name: c\nVersion: 1\n")
    )
    image = read_archive(docker_archive(tmp_path / "a.tar", first, second), MACHINE)
    assert [p.name for p in image.packages] == ["libc6", "b", "c"]
    opaque = layer(member("opt/.wh..wh..opq"))
    image = read_archive(docker_archive(tmp_path / "b.tar", first, second, opaque), MACHINE)
    assert [p.name for p in image.packages] == ["libc6"]


ODD = (None, 5, "x", [], {}, ["x"], {"x": 1})


def with_each_place_odd(document):
    """The document once for each place in it and each thing that should not stand there."""
    for odd in ODD:
        yield odd
        parts = document.items() if isinstance(document, dict) else enumerate(document)
        for key, part in [*parts] if isinstance(document, dict | list) else []:
            inner = [odd] if not isinstance(part, dict | list) else list(with_each_place_odd(part))
            for told in inner:
                changed = copy.copy(document)
                changed[key] = told
                yield changed


def with_odd_documents():
    """The files of image layouts with one odd thing in index, manifest or configuration."""
    files = oci_blobs()
    index = json.loads(files["index.json"])
    (one,) = index["manifests"]
    manifest = json.loads(files["blobs/sha256/" + one["digest"][7:]])
    told = config(layer(), Healthcheck={"Test": ["NONE"]}, Volumes={}, OnBuild=[], User="x", WorkingDir="/a")
    for odd in with_each_place_odd(index):
        yield {**files, "index.json": json.dumps(odd).encode()}
    for odd in with_each_place_odd(manifest):
        yield named_by_digest(files, odd)
    for odd in with_each_place_odd(told):
        body = json.dumps(odd).encode()
        about = {**manifest, "config": {"digest": f"sha256:{digest(body)}", "size": len(body)}}
        yield named_by_digest({**files, f"blobs/sha256/{digest(body)}": body}, about)


def named_by_digest(files, manifest):
    """The files, with this manifest in the place of theirs."""
    body = json.dumps(manifest).encode()
    index = {"schemaVersion": 2, "manifests": [{"digest": f"sha256:{digest(body)}", "size": len(body)}]}
    return {**files, f"blobs/sha256/{digest(body)}": body, "index.json": json.dumps(index).encode()}


def test_whatever_stands_in_a_place_of_the_documents_the_archive_is_read_or_refused(tmp_path):
    """An exception of another kind would be an internal error to whoever handed it in."""
    tried = refusals = 0
    for files in {
        json.dumps(sorted((k, v.hex()) for k, v in f.items())): f for f in with_odd_documents()
    }.values():
        tried += 1
        try:
            read_archive(oci_archive(tmp_path / "odd.tar", files), MACHINE)
        except NotValid:
            refusals += 1
    assert tried > 200
    assert refusals > tried / 2
