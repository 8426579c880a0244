#!/bin/sh
# Makes the base image for somebody who may use Docker and is not root: base-image.sh runs in a container.
#
#   base-image-by-docker.sh     in debian:bookworm, which Docker fetches; BUILDER_IMAGE=name: in another Debian
#
# Nothing is done where the image is there, or another one is named with BASE_IMAGE=.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
builder=${BUILDER_IMAGE:-debian:bookworm}

give_up() { echo "fairnode: $*" >&2; exit 1; }

if sh "$here/base-image.sh" >/dev/null 2>&1; then exit 0; fi
[ -z "${BASE_IMAGE:-}" ] || give_up "there is no image $BASE_IMAGE; load or pull it first, or leave BASE_IMAGE unset."
address=${DOCKER_HOST:-unix:///var/run/docker.sock}
case $address in
    unix://*) socket=${address#unix://} ;;
    *) give_up "making the base image needs root here; run docker/base-image.sh as root, or name one with BASE_IMAGE=." ;;
esac
echo "fairnode: making the base image in a container of $builder (once, a few minutes)" >&2
docker image inspect "$builder" >/dev/null 2>&1 || docker pull --quiet "$builder" >/dev/null ||
    give_up "$builder could not be fetched; name a Debian image that is there with BUILDER_IMAGE=, or run docker/base-image.sh as root."
docker run --rm --volume "$socket:/var/run/docker.sock" --volume "$here:/scripts:ro" \
    --volume "$(readlink -f "$(command -v docker)"):/usr/bin/docker:ro" \
    --env MIRROR --env http_proxy --env https_proxy "$builder" sh /scripts/base-image.sh >/dev/null ||
    give_up "the base image could not be made in a container; run docker/base-image.sh as root, or name one with BASE_IMAGE=."
