#!/bin/sh
# Ends the dockerd that ensure-engine.sh started by hand, once nobody uses it any more.
#
#   stop-engine.sh STATE_DIR [PID]
#
# A dockerd that we did not start is never touched. Images stay on disk for the next time.
set -eu

state=${1:?usage: stop-engine.sh STATE_DIR [PID]}
user=${2:-$PPID}

[ -d "$state" ] || exit 0
exec 9>"$state/lock"
flock 9

rm -f "$state/engine-users/$user"
[ -s "$state/dockerd.pid" ] || exit 0
for other in "$state"/engine-users/*; do
    [ -e "$other" ] || continue
    if kill -0 "${other##*/}" 2>/dev/null; then exit 0; fi
    rm -f "$other"   # its process is gone
done

pid=$(cat "$state/dockerd.pid")
# The number may have been given to another process after a crash: only a dockerd is ours to end.
if [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = dockerd ]; then
    kill "$pid"
    tries=60
    while kill -0 "$pid" 2>/dev/null && [ "$tries" -gt 0 ]; do
        tries=$((tries - 1))
        sleep 0.5
    done
fi
rm -f "$state/dockerd.pid"
