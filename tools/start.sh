#!/bin/sh
# `npm start`: everything on this machine, with one command.
set -u
root=$(cd "$(dirname "$0")/.." && pwd -P)
. "$root/tools/setup.sh"
prepare "$@"
bundle_programs
exec "$node" "$root/apps/cli/src/main.ts" up "$@"
