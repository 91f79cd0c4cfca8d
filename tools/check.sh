#!/bin/sh
# `npm run check`: everything that reads the code without running it. All of them run, so that one go shows all problems.
root=$(cd "$(dirname "$0")/.." && pwd -P)
cd "$root" || exit 1
bin=$root/node_modules/.bin
export PATH="$bin:$PATH"
failed=0
check() {
  what=$1
  shift
  echo "── $what"
  "$@" || {
    failed=1
    echo "✗ $what"
  }
}
check 'types' tsc
check 'types of the dashboard' tsc -p apps/dashboard
check 'lint' oxlint --type-aware
check 'format' biome format
check 'imports' node tools/check-imports.ts
check 'sizes' node tools/check-size.ts
check 'lock file' node tools/check-lock.ts
check 'state table' node tools/state-table.ts --check
check 'policy table' node tools/docker-policy-table.ts --check
exit $failed
