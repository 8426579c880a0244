#!/bin/sh
# Gives the directory of a node the rights that two users need: rights.sh DIRECTORY WEB-USER WORK-USER GROUP
#
# What both write (database, uploads, index) belongs to the group; views, sandboxes and person sets are the
# worker's alone, and so is the key that opens what is sealed to the node. Names may be numbers. May be repeated.
set -eu
directory=$1 web=$2 work=$3 group=$4
cd "$directory"
mkdir -p spool spool-web lineages images index records
chown -R "$work:$group" .
find . -type d -exec chmod 2770 {} +
find . -type f -exec chmod 0660 {} +
chmod 2750 keys && find keys -type f -exec chmod 0440 {} +
chmod 0400 keys/sealing.key   # what is sealed to the node, shares among it, is opened by the worker alone
chmod 0440 node.toml
chown -R "$web:$group" spool-web
chmod 0700 spool spool-web lineages
find spool lineages -mindepth 1 -type d -exec chmod 0700 {} +
find spool lineages -type f -exec chmod 0600 {} +
