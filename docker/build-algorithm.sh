#!/bin/sh
# Builds the image of an algorithm from its folder and prints, as JSON, its identity and where it is.
#
#   build-algorithm.sh FOLDER [--out FOLDER]
#
# FOLDER holds algorithm.toml, Dockerfile and requirements.txt; --out also writes what is handed in to a node.
#
# The same source gives the same identity. BASE_IMAGE= names another base image.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
BASE_IMAGE=$("$here/base-image.sh")
export BASE_IMAGE
exec "${PYTHON:-python3}" -m fairnode.engine_docker.build --kit "$here/../algorithms/kit" "$@"
