#!/bin/sh
# Installs what a lock file pins, hashes checked.
#
#   install-locked.sh BIN LOCKFILE
#
# uv does it in seconds; where it cannot (a mirror that only pip is told of), pip does the same in a minute.
set -eu
bin=${1:?usage: install-locked.sh BIN LOCKFILE}
lock=${2:?usage: install-locked.sh BIN LOCKFILE}
here=$(cd "$(dirname "$0")" && pwd)
pip() { "$bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$1"; }
if pip "$here/uv.lock.txt" && "$bin/uv" pip install --quiet --python "$bin/python" --require-hashes -r "$lock"; then
    exit 0
fi
echo "fairnode: installing with pip instead" >&2
pip "$lock"
