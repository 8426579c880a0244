#!/bin/sh
# Runs a command with a container engine at hand, and gives the engine back afterwards.
#
#   with-engine.sh STATE_DIR COMMAND...
#
# Where the command leaves processes running that need the engine, ENGINE_HEIRS names a file that begins
# with the process id of one of them: our dockerd then stays as long as that process lives.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
state=${1:?usage: with-engine.sh STATE_DIR COMMAND...}
shift
sh "$here/ensure-engine.sh" "$state" $$
if [ -z "${DOCKER_HOST:-}" ]; then
    # Libraries do not know the contexts of Docker's command line (rootless, Desktop): tell them where it is.
    host=$(docker context inspect --format '{{.Endpoints.docker.Host}}' 2>/dev/null || true)
    case $host in
        "" | unix:///var/run/docker.sock) ;;
        *) export DOCKER_HOST="$host" ;;
    esac
fi
status=0
[ "$(id -u)" -eq 0 ] || sh "$here/base-image-by-docker.sh" || status=$?
[ "$status" -ne 0 ] || "$@" || status=$?
if [ -n "${ENGINE_HEIRS:-}" ] && [ -s "$ENGINE_HEIRS" ]; then
    heir=$(sed 's/[^0-9]*\([0-9]*\).*/\1/;q' "$ENGINE_HEIRS")
    sh "$here/ensure-engine.sh" "$state" "$heir"
fi
sh "$here/stop-engine.sh" "$state" $$
exit "$status"
