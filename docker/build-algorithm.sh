#!/bin/sh
# Builds the image of an algorithm from its folder and prints, as JSON, its identity and where it is.
#
#   build-algorithm.sh FOLDER [--out FOLDER]
#
# FOLDER holds algorithm.toml, Dockerfile and requirements.txt; --out also writes what is handed in to a node.
#
# The same source gives the same identity. The base image is the one that the Dockerfile's line `ARG BASE=` names
# (fairnode/base, fairnode/python or fairnode/r); BASE_IMAGE= names another.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
wanted=$(sed -n 's/^ARG BASE=\(fairnode\/.*\)$/\1/p' "${1:-.}/Dockerfile" 2>/dev/null | head -n 1)
BASE_IMAGE=$("$here/base-with.sh" $wanted)
export BASE_IMAGE
exec "${PYTHON:-python3}" -m fairnode.engine_docker.build --kit "$here/../algorithms/kit" "$@"
