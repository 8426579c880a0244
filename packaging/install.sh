#!/bin/sh
# Installs fairnode on one Linux machine with systemd and Docker: sh install.sh WHEEL REQUIREMENTS
#
# WHEEL is the package, REQUIREMENTS the locked list with hashes (requirements.txt of the source). Makes two
# users, /opt/fairnode with the program and the two services; the node itself is made afterwards (docs/install.md).
set -eu
[ "$(id -u)" = 0 ] || { echo "Run this as root." >&2; exit 1; }
[ $# = 2 ] || { echo "sh install.sh WHEEL REQUIREMENTS" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
for program in python3 docker systemctl systemd-sysusers systemd-tmpfiles; do
    command -v "$program" >/dev/null || { echo "$program is missing; install it first." >&2; exit 1; }
done
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed." >&2; exit 1; }
install -D -m 0644 "$here/sysusers.conf" /usr/lib/sysusers.d/fairnode.conf
install -D -m 0644 "$here/tmpfiles.conf" /usr/lib/tmpfiles.d/fairnode.conf
systemd-sysusers /usr/lib/sysusers.d/fairnode.conf
systemd-tmpfiles --create /usr/lib/tmpfiles.d/fairnode.conf
python3 -m venv /opt/fairnode
/opt/fairnode/bin/python -m pip install --quiet --require-hashes -r "$2"
/opt/fairnode/bin/python -m pip install --quiet --no-deps --force-reinstall "$1"
install -D -m 0755 "$here/rights.sh" /opt/fairnode/lib/rights.sh
for unit in fairnode-web fairnode-work; do
    install -D -m 0644 "$here/$unit.service" "/etc/systemd/system/$unit.service"
done
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload
else
    echo "systemd does not run here (an image is being made?); the services are known after the next start."
fi
echo "Installed. Now make the node: docs/install.md, step 3."
