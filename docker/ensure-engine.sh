#!/bin/sh
# Makes sure that a container engine answers.
#
#   ensure-engine.sh STATE_DIR [PID]
#
# Where one answers, nothing is done. Where none does and we are root on Debian or Ubuntu, Docker is
# installed from the distribution's packages and, on a machine without systemd, one dockerd is started
# by hand. STATE_DIR remembers that dockerd and who uses it (PID, by default the calling process), so
# that `stop-engine.sh STATE_DIR PID` of the last user ends ours and never a foreign one.
set -eu

state=${1:?usage: ensure-engine.sh STATE_DIR [PID]}
user=${2:-$PPID}

say() { echo "fairnode: $*" >&2; }
give_up() { say "$*"; exit 1; }
answers() { docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }
not_ours_to_use() { docker version 2>&1 | grep -qi "permission denied"; }
ours_runs() { [ -s "$state/dockerd.pid" ] && kill -0 "$(cat "$state/dockerd.pid")" 2>/dev/null; }

install_docker() {
    command -v apt-get >/dev/null || give_up "no container engine answers; install Docker and start it."
    say "installing Docker from the distribution's packages (once, about a minute)"
    export DEBIAN_FRONTEND=noninteractive
    # one source of packages that does not answer need not be the one that is needed
    apt-get update -q >"$state/apt.log" 2>&1 || say "apt-get update met trouble, see $state/apt.log; trying all the same"
    apt-get install -y -q --no-install-recommends docker.io >>"$state/apt.log" 2>&1 ||
        give_up "Docker could not be installed; see $state/apt.log."
    # newer releases keep the command line in a package of its own
    command -v docker >/dev/null || apt-get install -y -q --no-install-recommends docker-cli >>"$state/apt.log" 2>&1
}

mount_cgroups() {
    # A machine with an init system has done this; a bare container or VM has not.
    mountpoint -q /sys/fs/cgroup || mount -t cgroup2 none /sys/fs/cgroup ||
        give_up "the control groups of the kernel could not be mounted; Docker needs them."
}

start_by_hand() {
    mount_cgroups
    rm -f "$state/dockerd.pid"
    setsid dockerd >"$state/dockerd.log" 2>&1 </dev/null &
    echo $! >"$state/dockerd.pid"
}

wait_until_it_answers() {
    tries=120
    until answers; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || give_up "Docker was started but does not answer; see $state/dockerd.log."
        sleep 0.5
    done
}

mkdir -p "$state/engine-users"
exec 9>"$state/lock"
flock 9

if answers; then
    if ours_runs; then : >"$state/engine-users/$user"; fi
    exit 0
fi
if [ -n "${DOCKER_HOST:-}" ]; then
    give_up "no engine answers at DOCKER_HOST=$DOCKER_HOST; start it, or unset DOCKER_HOST."
fi
if [ "$(id -u)" -ne 0 ] && not_ours_to_use; then
    give_up "Docker runs here, but you may not use it; ask an administrator to add you to group docker, then log in again."
fi
if [ "$(id -u)" -ne 0 ]; then
    give_up "no container engine answers; ask an administrator to install Docker and add you to group docker, or run this as root on Debian or Ubuntu."
fi
command -v dockerd >/dev/null && command -v docker >/dev/null || install_docker
if answers; then
    exit 0   # the installation started it, or only the command line was missing
fi
if [ -d /run/systemd/system ]; then
    systemctl start docker   # the machine's own service: it stays
else
    start_by_hand 9>&-
    : >"$state/engine-users/$user"
fi
wait_until_it_answers
