#!/bin/sh
# `npm run test:faults`: the fault campaign (docs/reliability.md), with everything it needs.
set -u
root=$(cd "$(dirname "$0")/.." && pwd -P)
. "$root/tools/setup.sh"
prepare_without_engine
cd "$root" || exit 1

. "$root/tools/test-programs.sh"
install_test_programs
export NODE_COMPILE_CACHE="$root/node_modules/.cache/node-compile"
exec "$node" "$root/tests/faults/campaign/run.ts" "$@"
