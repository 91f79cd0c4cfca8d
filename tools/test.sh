#!/bin/sh
# `npm test`: the unit tests and the end-to-end tests, with everything they need. Arguments go to vitest.
set -u
root=$(cd "$(dirname "$0")/.." && pwd -P)
. "$root/tools/setup.sh"
prepare_without_engine
cd "$root" || exit 1

. "$root/tools/test-programs.sh"
install_test_programs

# What needs a cloud has a command of its own: test-openstack.sh.
case " $* " in
*' --project'*) ;;
*) set -- --project unit --project e2e "$@" ;;
esac
export PATH="$root/node_modules/.bin:$PATH"
# The programs under test start hundreds of times.
export NODE_COMPILE_CACHE="$root/node_modules/.cache/node-compile"
"$node" "$root/node_modules/vitest/vitest.mjs" run "$@"
