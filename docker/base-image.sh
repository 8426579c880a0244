#!/bin/sh
# Makes the image that algorithms are built on, from Debian packages, and prints its name.
#
#   base-image.sh                    minimal Debian with Python 3.11; fairnode/base:bookworm
#   BASE_IMAGE=name base-image.sh    prints that name; nothing is built
#   MIRROR=url                       another Debian mirror; one dated address of
#                                    https://snapshot.debian.org makes the same image again, byte for byte
#
# No registry is needed. Done in a second when an image made by this very script is there.
# Times are cut to SOURCE_DATE_EPOCH, and everything that differs from run to run is removed,
# so that the same packages give the same layer digest.
set -eu

suite=bookworm
mirror=${MIRROR:-http://deb.debian.org/debian}
name=fairnode/base:$suite
export SOURCE_DATE_EPOCH=1686355200   # the day this release of Debian came out

say() { echo "fairnode: $*" >&2; }
give_up() { say "$*"; exit 1; }

if [ -n "${BASE_IMAGE:-}" ]; then
    docker image inspect "$BASE_IMAGE" >/dev/null 2>&1 ||
        give_up "there is no image $BASE_IMAGE; load or pull it first, or leave BASE_IMAGE unset."
    echo "$BASE_IMAGE"
    exit 0
fi

recipe=$( { cat "$0"; echo "$mirror"; } | sha256sum | cut -d' ' -f1)
made_by() { docker image inspect --format '{{index .Config.Labels "fairnode.recipe"}}' "$name" 2>/dev/null || true; }
if [ "$(made_by)" = "$recipe" ]; then
    echo "$name"
    exit 0
fi

[ "$(id -u)" -eq 0 ] || give_up "making the base image needs root (debootstrap); name one that is there with BASE_IMAGE=."
if ! command -v debootstrap >/dev/null || [ ! -e /usr/share/keyrings/debian-archive-keyring.gpg ]; then
    command -v apt-get >/dev/null || give_up "making the base image needs debootstrap; install it, or set BASE_IMAGE=."
    say "installing debootstrap"
    apt-get update -q >/dev/null
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
        debootstrap debian-archive-keyring >/dev/null
fi

say "making $name from Debian packages (once, about a minute)"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
debootstrap --variant=minbase --include=python3 \
    --keyring=/usr/share/keyrings/debian-archive-keyring.gpg "$suite" "$root" "$mirror" >"$work/log" 2>&1 ||
    { tail -n 20 "$work/log" >&2; give_up "debootstrap failed; is $mirror reachable?"; }

# What no algorithm needs: package lists, manuals, translations, device nodes, logs, caches.
rm -rf "$root"/var/cache/* "$root"/var/lib/apt/lists/* "$root"/var/log/* "$root"/var/backups/* \
    "$root"/usr/share/doc/* "$root"/usr/share/man/* "$root"/usr/share/locale/* "$root"/usr/share/info/* \
    "$root"/usr/share/lintian "$root"/dev/* "$root"/tmp/* "$root"/run/* "$root"/debootstrap
rm -f "$root"/etc/machine-id "$root"/etc/resolv.conf "$root"/etc/hostname "$root"/var/lib/dpkg/*-old \
    "$root"/etc/passwd- "$root"/etc/group- "$root"/etc/shadow- "$root"/etc/gshadow- "$root"/etc/ld.so.cache- \
    "$root"/var/lib/systemd/catalog/database
find "$root" -xdev -name __pycache__ -type d -prune -exec rm -rf {} +
# Programs that lend root's rights; the sandbox forbids that too, but why carry them?
find "$root" -xdev -type f -perm /6000 -exec chmod a-s {} +
# Byte code that checks no time stamps: quick to start, and the same every time.
PYTHONHASHSEED=0 chroot "$root" python3 -S -m compileall -q --invalidation-mode unchecked-hash \
    -s / -p / /usr/lib/python3.11 >/dev/null || true
mkdir -p "$root/fairnode/in" "$root/fairnode/out"
: >"$root/fairnode/run.json"
: >"$root/fairnode/out/result"

tar --create --directory "$root" --sort=name --numeric-owner --format=gnu \
    --mtime="@$SOURCE_DATE_EPOCH" --clamp-mtime --one-file-system . |
    docker import --change "LABEL fairnode.recipe=$recipe" \
        --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
        --change 'ENV LANG=C.UTF-8' --message "minimal Debian $suite with Python" - "$name" >/dev/null
echo "$name"
