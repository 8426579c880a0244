#!/bin/sh
# Makes sure that a Debian package is there: root on Debian or Ubuntu gets it, others are told what to do.
set -eu
package=${1:?usage: ensure-package.sh PACKAGE}
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "fairnode: the package '$package' is missing; install it, then try again." >&2
    exit 1
fi
echo "fairnode: installing $package (once)" >&2
export DEBIAN_FRONTEND=noninteractive
apt-get update -q >/dev/null || echo "fairnode: apt-get update met trouble; trying all the same" >&2
apt-get install -y -q --no-install-recommends "$package" >/dev/null || {
    echo "fairnode: the package '$package' could not be installed; install it by hand, then try again." >&2
    exit 1
}
