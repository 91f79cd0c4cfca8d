#!/bin/bash
# `npm run test:openstack`: starts a real OpenStack (deploy/testcloud), runs tests/openstack inside it, ends it. Arguments go to vitest.
# `npm run bench:openstack`: the same with --bench, which measures instead.
#
# TESTCLOUD_KEEP=1 leaves the cloud running for the next time, which then starts at once.
# TESTCLOUD_DIR, TESTCLOUD_SERVICES: where it is, and of what it is made.
set -u
root=$(cd "$(dirname "$0")/.." && pwd -P)
. "$root/tools/setup.sh"
prepare_without_engine
cd "$root" || exit 1
[ "$(id -u)" = 0 ] || fail 'The test cloud needs root.'
. "$root/tools/test-programs.sh"
install_test_programs

export TESTCLOUD_DIR=${TESTCLOUD_DIR:-/var/tmp/gantry-testcloud}
cloud=$root/deploy/testcloud/cloud
tests=
end_cloud() {
  trap '' INT TERM HUP
  # A test run that is killed leaves its own processes behind; they end with the cloud's namespaces.
  [ -z "$tests" ] || kill "$tests" 2>/dev/null
  [ -n "${TESTCLOUD_KEEP:-}" ] || "$cloud" down --purge
}
trap end_cloud EXIT
trap 'exit 130' INT TERM HUP

# shellcheck disable=SC2086
"$cloud" up ${TESTCLOUD_SERVICES:-keystone glance placement neutron cinder manila heat} || {
  tail -n 20 "$TESTCLOUD_DIR"/log/*.log 2>/dev/null | tail -n 200 >&2
  exit 1
}
export PATH="$root/node_modules/.bin:$PATH"
# The programs under test start hundreds of times.
export NODE_COMPILE_CACHE="$root/node_modules/.cache/node-compile"
if [ "${1:-}" = --bench ]; then
  shift
  "$cloud" run "$node" "$root/tests/load/openstack-bench.ts" "$@" &
else
  "$cloud" run "$node" "$root/node_modules/vitest/vitest.mjs" run --project openstack "$@" &
fi
tests=$!
wait "$tests"
code=$?
tests=
exit "$code"
