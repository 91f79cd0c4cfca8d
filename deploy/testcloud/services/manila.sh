# Manila, on port 8786; shares are folders (../manila_folder_driver.py).
#
# A host with the address A finds below $VAR/manila/mounts/A what it has access rules for. `mount -t nfs` mounts it from there,
# by a mount.nfs of the cloud's own, which is in the place of the machine's.

manila_packages() { echo manila-api manila-scheduler manila-share python3-manilaclient nfs-common; }
manila_databases() { echo manila; }
manila_accounts() { echo "service manila manilav2 sharev2 http://$ADDRESS:8786/v2"; }

manila_configure() {
  mkdir -p "$VAR/manila/lock" "$VAR/manila/shares" "$VAR/manila/mounts"
  {
    echo '[DEFAULT]'
    ini_daemon
    ini_queue
    cat <<INI
osapi_share_listen = $ADDRESS
osapi_share_workers = 1
host = $TESTCLOUD_HOSTNAME
my_ip = $ADDRESS
state_path = $VAR/manila
api_paste_config = /etc/manila/api-paste.ini
enabled_share_backends = folders
enabled_share_protocols = NFS,CEPHFS
default_share_type = folders
storage_availability_zone = nova
report_interval = 5
rpc_response_timeout = 30

[folders]
share_backend_name = folders
share_driver = manila_folder_driver.FolderDriver
driver_handles_share_servers = false
folder_shares = $VAR/manila/shares
folder_mounts = $VAR/manila/mounts

[oslo_concurrency]
lock_path = $VAR/manila/lock

INI
    ini_database manila
    ini_account manila
    ini_messaging
  } >"$ETC/manila/manila.conf"
}

manila_schema() { once manila-schema manila-manage --config-file "$ETC/manila/manila.conf" db sync; }

manila_start() {
  local part since
  replace_mount_nfs
  until_so 90 rabbitmq ready rabbitmq
  since=$(time_to_report manila-share)
  for part in api scheduler share; do
    daemon "manila-$part" env PYTHONPATH="$HERE" PYTHONDONTWRITEBYTECODE=1 "manila-$part" \
      --config-file "$ETC/manila/manila.conf"
  done
  until_so 60 manila-api ready manila-api
  until_so 60 'manila-share and manila-scheduler' reported_since "$since" manila.services updated_at 2 "deleted = 'False'"
}

# Not outside of the cloud's own namespaces, where others mount by it.
replace_mount_nfs() {
  [ -z "${TESTCLOUD_OUTSIDE:-}" ] || return 0
  sed "s#:-MOUNTS}#:-$VAR/manila/mounts}#" "$HERE/mount.nfs" >"$RUN/mount.nfs"
  chmod 755 "$RUN/mount.nfs"
  mountpoint -q /sbin/mount.nfs || mount --bind "$RUN/mount.nfs" /sbin/mount.nfs
}

manila_finish() {
  once manila-share-type seed share-type
  seed share-pool || die "Manila's scheduler does not know of its back end; see $LOG."
}

manila_clean() {
  local point
  for point in "$VAR"/manila/mounts/*/*; do ! mountpoint -q "$point" || umount "$point"; done
}
