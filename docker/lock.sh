#!/bin/sh
# Pins every dependency with its hashes. `uv` writes no address of an index into the files.
set -eu
bin=${1:?usage: lock.sh BIN}
"$bin/python" -m pip install --quiet uv
for extras in "requirements.txt" "requirements-dev.txt --extra dev"; do
    # shellcheck disable=SC2086
    "$bin/uv" pip compile --quiet --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
        --extra postgres pyproject.toml -o $extras
done
# What installs the rest, pinned on its own.
awk '/^uv==/ {found = 1} found {print} found && !/\\$/ {exit}' requirements-dev.txt >docker/uv.lock.txt
