# Sourced by test.sh and test-openstack.sh, after setup.sh: installs what the tests lack.

# package:program, for those of which a program is missing
test_programs='docker.io:dockerd docker.io:docker iptables:iptables iproute2:ip nftables:nft e2fsprogs:mkfs.ext4 openssl:openssl curl:curl tmux:tmux debootstrap:debootstrap
procps:ps tar:tar podman:podman crun:crun netavark:/usr/lib/podman/netavark python3-openstackclient:openstack python3-zunclient:zun
xfsprogs:mkfs.xfs btrfs-progs:mkfs.btrfs qemu-utils:qemu-nbd libnbd-bin:nbdfuse docker-compose:docker-compose openssh-client:ssh skopeo:skopeo docker-registry:docker-registry postgresql:/usr/share/postgresql-common/pg_wrapper libfaketime:/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1 python3-glanceclient:glance
chromium:/usr/bin/chromium haproxy:haproxy rabbitmq-server:rabbitmq-server systemd:systemd-analyze shellcheck:shellcheck'

install_test_programs() {
  PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
  missing=
  for pair in $test_programs; do
    command -v "${pair#*:}" >/dev/null 2>&1 || missing="$missing ${pair%%:*}"
  done
  # The sample and test images are made from it, so it must need no shared library.
  if ! command -v busybox >/dev/null 2>&1 || ldd "$(command -v busybox)" >/dev/null 2>&1; then
    missing="$missing busybox-static"
  fi
  [ -n "$missing" ] || return 0
  command -v apt-get >/dev/null 2>&1 || fail "The tests need$missing, and there is no apt-get to install them. Install them and start again."
  [ "$(id -u)" = 0 ] || fail "The tests need$missing, and only root can install them. Run as root: apt-get install$missing"
  echo "… Installing what the tests need:$missing"
  began=$(date +%s)
  log=$(mktemp)
  # The tests start engines of their own, so the machine's Docker service stays off.
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 130' INT TERM HUP
    printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy"
  else
    policy=
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get -o DPkg::Lock::Timeout=120 update >"$log" 2>&1 </dev/null
  # shellcheck disable=SC2086
  apt-get -o DPkg::Lock::Timeout=120 install -y --no-install-recommends ca-certificates $missing >>"$log" 2>&1 </dev/null || {
    tail -n 5 "$log" >&2
    fail "Installing$missing failed (the log is $log). Check the package sources with apt-get update."
  }
  rm -f "$log"
  [ -n "$policy" ] && rm -f "$policy"
  trap - EXIT INT TERM HUP
  echo "✓ Installed$missing ($(($(date +%s) - began)) s)"
}
