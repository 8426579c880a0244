#!/bin/sh
# Makes a larger image to build algorithms on, from the base image, and prints its name.
#
#   base-with.sh fairnode/base:bookworm      the base image itself (base-image.sh)
#   base-with.sh fairnode/python:bookworm    with numpy, scipy, pandas, duckdb and statsmodels, as
#                                            python-packages.txt pins them by hash
#   base-with.sh fairnode/r:bookworm         with R, data.table, survival and jsonlite from Debian
#   MIRROR=url, BASE_IMAGE=name              as for base-image.sh
#   NAME=name                                what is made gets this name, and is made anew
#
# Done in a second when an image made by this very script from the same base is there. The same packages give
# the same layer digest.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
name=${1:-fairnode/base:bookworm}
mirror=${MIRROR:-http://deb.debian.org/debian}
export SOURCE_DATE_EPOCH=1686355200   # as base-image.sh

say() { echo "fairnode: $*" >&2; }
give_up() { say "$*"; exit 1; }

base=$("$here/base-image.sh")
case ${BASE_IMAGE:+given}:$name in
    given:* | :fairnode/base:bookworm) echo "$base"; exit 0 ;;
    :fairnode/python:bookworm | :fairnode/r:bookworm) ;;
    *) give_up "there is no recipe for the image $name." ;;
esac

recipe=$( { cat "$0" "$here/python-packages.txt"; echo "$name $mirror"
    docker image inspect --format '{{json .RootFS.Layers}}' "$base"; } | sha256sum | cut -d' ' -f1)
made_by() { docker image inspect --format '{{index .Config.Labels "fairnode.recipe"}}' "$name" 2>/dev/null || true; }
if [ -z "${NAME:-}" ] && [ "$(made_by)" = "$recipe" ]; then
    echo "$name"
    exit 0
fi

say "making ${NAME:-$name} (once, some minutes)"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
mkdir "$root"

add_python() {
    docker create --name "fairnode-base-$$" "$base" true >/dev/null
    docker export "fairnode-base-$$" | tar --extract --directory "$root" --numeric-owner
    docker rm "fairnode-base-$$" >/dev/null
    site=$root/usr/lib/python3/dist-packages
    machine=$(uname -m)
    "${PYTHON:-python3}" -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps \
        --no-compile --only-binary=:all: --python-version=3.11 --implementation=cp \
        --platform="manylinux_2_28_$machine" --platform="manylinux_2_17_$machine" \
        --platform="manylinux2014_$machine" --target="$site" \
        --requirement="$here/python-packages.txt" >&2 || give_up "the packages could not be fetched."
    rm -rf "$site/bin"
    rm -f "$site"/*.dist-info/RECORD   # in an order of its own, and nobody uninstalls from an image
    find "$site" -name tests -type d -prune -exec rm -rf {} +
    PYTHONHASHSEED=0 chroot "$root" python3 -S -m compileall -q --invalidation-mode unchecked-hash \
        -s / -p / /usr/lib/python3 >/dev/null || true
}

add_r() {
    [ "$(id -u)" -eq 0 ] || give_up "making $name needs root (debootstrap)."
    debootstrap --variant=minbase \
        --include=python3,r-base-core,r-cran-data.table,r-cran-survival,r-cran-jsonlite \
        --keyring=/usr/share/keyrings/debian-archive-keyring.gpg bookworm "$root" "$mirror" >"$work/log" 2>&1 ||
        { tail -n 20 "$work/log" >&2; give_up "debootstrap failed; is $mirror reachable?"; }
    rm -rf "$root"/var/cache/* "$root"/var/lib/apt/lists/* "$root"/var/log/* "$root"/var/backups/* \
        "$root"/usr/share/doc/* "$root"/usr/share/man/* "$root"/usr/share/locale/* "$root"/usr/share/info/* \
        "$root"/usr/share/lintian "$root"/dev/* "$root"/tmp/* "$root"/run/* "$root"/debootstrap
    rm -f "$root"/etc/machine-id "$root"/etc/resolv.conf "$root"/etc/hostname "$root"/var/lib/dpkg/*-old \
        "$root"/etc/passwd- "$root"/etc/group- "$root"/etc/shadow- "$root"/etc/gshadow- \
        "$root"/etc/ld.so.cache- "$root"/var/lib/systemd/catalog/database
    find "$root" -xdev -name __pycache__ -type d -prune -exec rm -rf {} +
    # programs that lend root's rights; the sandbox forbids that too, but why carry them?
    find "$root" -xdev -type f -perm /6000 -exec chmod a-s {} +
    mkdir -p "$root/fairnode/in" "$root/fairnode/out"
    : >"$root/fairnode/run.json"
    : >"$root/fairnode/out/result"
}

case $name in
    fairnode/python:*) add_python ;;
    *) add_r ;;
esac

tar --create --directory "$root" --sort=name --numeric-owner --format=gnu \
    --mtime="@$SOURCE_DATE_EPOCH" --clamp-mtime --one-file-system . |
    docker import --change "LABEL fairnode.recipe=$recipe" \
        --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
        --change 'ENV LANG=C.UTF-8' --message "made by docker/base-with.sh" - "${NAME:-$name}" >/dev/null
echo "${NAME:-$name}"
