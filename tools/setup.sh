# Sourced by start.sh, gantry and test.sh: brings the dependencies and picks the Node to use. Needs $root, the repository.
# Leaves $node. Written for any POSIX sh, and to run under whatever Node the machine has, or none.

fail() {
  echo "gantry: $*" >&2
  exit 1
}

check_machine() {
  [ "$(uname -s)" = Linux ] || fail "Gantry's server and agent run on Linux, and this is $(uname -s). Start it in a Linux machine or virtual machine."
  case "$(uname -m)" in
  x86_64) arch=x64 ;;
  aarch64 | arm64) arch=arm64 ;;
  *) arch= ;;
  esac
}

# Before anything is downloaded: is there any hope of an engine?
check_engine() {
  [ "$(id -u)" = 0 ] && return
  [ -n "${DOCKER_HOST:-}" ] && return
  home=${GANTRY_HOME:-$HOME/.gantry}
  for socket in /var/run/docker.sock /run/podman/podman.sock "${XDG_RUNTIME_DIR:-/nowhere}/docker.sock" \
    "${XDG_RUNTIME_DIR:-/nowhere}/podman/podman.sock" "$home/engine/docker.sock"; do
    [ -S "$socket" ] && [ -w "$socket" ] && return
  done
  for word in "$@"; do
    case "$word" in --engine | --engine=*) return ;; esac
  done
  fail "No Docker or Podman engine answers to user $(id -un), and only root can start one. Run it as root, or start an engine that you may use (systemctl --user start podman.socket)."
}

# The stamp holds the lock file's checksum and is written last, so an install that was cut short counts as none. npm's own
# record of a finished install, newer than the lock file, does as well: then a developer ran npm.
is_installed() {
  lock_sum=$(cksum <"$root/package-lock.json")
  [ "$(cat "$stamp" 2>/dev/null)" = "$lock_sum" ] && return 0
  [ "$root/node_modules/.package-lock.json" -nt "$root/package-lock.json" ]
}

stop_install() {
  kill "$installing" 2>/dev/null
  wait "$installing" 2>/dev/null
  [ -t 1 ] && printf '\r\033[K'
  fail "Stopped while installing; the next start begins again."
}

install_dependencies() {
  stamp=$root/node_modules/.gantry-installed
  is_installed && return
  # Two starts at once must not install over each other. npm inherits the lock, so it is held as long as npm works.
  exec 9<"$root/package-lock.json"
  if command -v flock >/dev/null 2>&1; then
    flock -n 9 || echo "… Waiting for another start that is installing the dependencies"
    flock 9
    is_installed && return
  fi
  command -v npm >/dev/null 2>&1 || fail "npm is missing. Install Node.js with npm (apt-get install nodejs npm) and start again."
  [ -w "$root" ] || fail "The folder $root cannot be written. Run this as its owner, or clone into a folder of your own."
  free=$(df -Pk "$root" | awk 'NR == 2 { print $4 }')
  [ "${free:-0}" -ge 1048576 ] || fail "The disk of $root has only $((free / 1024)) MiB free, and at least 1024 MiB are needed. Free some space and start again."
  rm -f "$stamp"
  log=${TMPDIR:-/tmp}/gantry-install.$$.log
  began=$(date +%s)
  [ -t 1 ] || echo "… Installing dependencies"
  # Only the Node it brings matters here, so npm's opinion about the machine's own is left out.
  (cd "$root" && exec npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) >"$log" 2>&1 </dev/null &
  installing=$!
  trap stop_install INT TERM HUP
  while kill -0 "$installing" 2>/dev/null; do
    [ -t 1 ] && printf '\r… Installing dependencies %s s' "$(($(date +%s) - began))"
    sleep 1 &
    wait $!
  done
  wait "$installing"
  code=$?
  trap - INT TERM HUP
  exec 9<&-
  [ -t 1 ] && printf '\r\033[K'
  if [ "$code" -ne 0 ]; then
    grep -v "^npm error *$" "$log" | head -n 4 >&2
    fail "Installing the dependencies failed (the log is $log). Check that the npm registry $(npm config get registry 2>/dev/null) can be reached, and start again."
  fi
  rm -f "$log"
  echo "$lock_sum" >"$stamp.new" && mv "$stamp.new" "$stamp"
  echo "✓ Dependencies installed ($(($(date +%s) - began)) s)"
}

# Once after an install: the plain Node binary needs libatomic, which a small Debian or Ubuntu does not have.
prove_node() {
  proven=$root/node_modules/.gantry-node-runs
  [ -e "$proven" ] && return
  said=$("$node" --version 2>&1) || case "$said" in
  *libatomic*)
    command -v apt-get >/dev/null 2>&1 || fail "Node needs the library libatomic.so.1. Install it (Fedora: dnf install libatomic) and start again."
    [ "$(id -u)" = 0 ] || fail "Node needs the library libatomic.so.1, and only root can install it. Run as root: apt-get install libatomic1"
    echo "… Installing libatomic1, which Node needs"
    { apt-get -o DPkg::Lock::Timeout=120 install -y --no-install-recommends libatomic1 ||
      { apt-get -o DPkg::Lock::Timeout=120 update && apt-get -o DPkg::Lock::Timeout=120 install -y --no-install-recommends libatomic1; }; } >/dev/null 2>&1 </dev/null ||
      fail "Installing libatomic1 failed. Check the package sources with apt-get update, and start again."
    "$node" --version >/dev/null 2>&1 || fail "The Node at $node does not run: $("$node" --version 2>&1 | head -n 1)"
    ;;
  *) return 1 ;;
  esac
  : >"$proven" 2>/dev/null
  return 0
}

# The pinned Node from the dependencies; else the machine's own, if it is new enough.
pick_node() {
  node=$root/node_modules/node-linux-$arch/bin/node
  [ -n "$arch" ] && [ -x "$node" ] && prove_node && return
  node=$(command -v node) || fail "There is no Node for this machine ($(uname -m)) among the dependencies. Install Node.js 24 or later and start again."
  major=$("$node" -p 'process.versions.node.split(".")[0]')
  [ "$major" -ge 24 ] || fail "There is no Node for this machine ($(uname -m)) among the dependencies, and its own is version $major. Install Node.js 24 or later and start again."
}

# One file for each long-running program, made again when a source is newer. A clone that cannot be written runs the sources.
bundle_programs() {
  stamp=$root/dist/.stamp
  if [ ! -e "$stamp" ] || [ -n "$(cd "$root" && find package-lock.json apps control facades host packages providers store \
    -path '*/node_modules' -prune -o \( -name '*.ts' -o -name '*.tsx' -o -name '*.css' -o -name '*.html' -o -name '*.json' \) -newer "$stamp" -print 2>/dev/null | head -n 1)" ]; then
    [ -w "$root" ] && "$node" "$root/tools/bundle.ts" || return
  fi
  export GANTRY_PROGRAMS="$root/dist"
}

prepare() {
  check_machine
  check_engine "$@"
  prepare_without_engine
}

prepare_without_engine() {
  check_machine
  install_dependencies
  pick_node
  # npx finds it here; npm makes no such link for a repository's own program.
  for command in gantry osc; do
    [ -e "$root/node_modules/.bin/$command" ] || ln -sf "../../tools/$command" "$root/node_modules/.bin/$command"
  done
  # Keeps stripped and compiled sources, so that a later start does not pay for them again.
  export NODE_COMPILE_CACHE="$root/node_modules/.cache/node-compile"
}
