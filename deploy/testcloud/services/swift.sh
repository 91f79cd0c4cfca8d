# Swift, on port 8080: one server of each kind over a plain folder, one copy of everything.

swift_packages() { echo swift-proxy swift-account swift-container swift-object python3-swiftclient python3-keystonemiddleware; }
swift_accounts() { echo "service swift swift object-store http://$ADDRESS:8080/v1/AUTH_\$(project_id)s"; }
swift_kinds='object:6200 container:6201 account:6202'

swift_configure() {
  mkdir -p "$VAR/swift/disk"
  cat >"$ETC/swift/swift.conf" <<INI
[swift-hash]
swift_hash_path_prefix = testcloud
swift_hash_path_suffix = testcloud

[storage-policy:0]
name = plain
default = yes
INI
  local pair
  for pair in $swift_kinds; do
    swift_server "${pair#*:}" "${pair%:*}-server" "swift#${pair%:*}" >"$ETC/swift/${pair%:*}-server.conf"
    printf 'devices = %s\nmount_check = false\nfallocate_reserve = 0\n' "$VAR/swift" |
      sed -i '/^\[DEFAULT\]/r /dev/stdin' "$ETC/swift/${pair%:*}-server.conf"
  done
  swift_proxy >"$ETC/swift/proxy-server.conf"
}

swift_server() { # PORT NAME EGG [PIPELINE]
  cat <<INI
[DEFAULT]
bind_ip = $ADDRESS
bind_port = $1
user = root
workers = 0
swift_dir = $ETC/swift
log_level = WARNING
log_address = $RUN/no-syslog

[pipeline:main]
pipeline = ${4:-} $2

[app:$2]
use = egg:$3
INI
}

swift_proxy() {
  local plain='catch_errors gatekeeper healthcheck listing_formats bulk tempurl ratelimit copy slo dlo symlink' filter
  swift_server 8080 proxy-server swift#proxy "catch_errors gatekeeper healthcheck cache listing_formats bulk tempurl \
ratelimit authtoken keystoneauth copy container-quotas account-quotas slo dlo versioned_writes symlink"
  printf 'account_autocreate = true\nallow_account_management = true\n\n'
  for filter in $plain container-quotas:container_quotas account-quotas:account_quotas; do
    printf '[filter:%s]\nuse = egg:swift#%s\n\n' "${filter%:*}" "${filter#*:}"
  done
  cat <<INI
[filter:cache]
use = egg:swift#memcache
memcache_servers = $ADDRESS:11211

[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_versioned_writes = true
allow_object_versioning = true

[filter:keystoneauth]
use = egg:swift#keystoneauth
operator_roles = admin, member
reseller_prefix = AUTH

INI
  ini_account swift filter:authtoken
  printf 'paste.filter_factory = keystonemiddleware.auth_token:filter_factory\ndelay_auth_decision = true\n'
}

swift_rings() {
  local pair ring
  cd "$ETC/swift" || return
  for pair in $swift_kinds; do
    ring=${pair%:*}.builder
    rm -f "$ring"
    swift-ring-builder "$ring" create 4 1 0 &&
      swift-ring-builder "$ring" add "r1z1-$ADDRESS:${pair#*:}/disk" 1 &&
      swift-ring-builder "$ring" rebalance || return
  done
}

swift_schema() { once swift-rings swift_rings; }

swift_start() {
  local kind
  for kind in account container object proxy; do
    daemon "swift-$kind" env SWIFT_DIR="$ETC/swift" "swift-$kind-server" "$ETC/swift/$kind-server.conf" -v
  done
  until_so 60 swift ready swift-proxy
}
