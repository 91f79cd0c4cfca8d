# Cinder, on port 8776; volumes are files.
#
# There may be no device mapper, iSCSI or NFS in the kernel. Cinder's NFS driver keeps each volume as a sparse file below
# BASE/md5(EXPORT) and mounts the export there unless something is mounted already: a folder, bound to that place beforehand.
# Who attaches a volume is told {driver_volume_type: nfs, export, name, mount_point_base …} and finds the file.
# The NFS driver does not say that it can do multiattach, though for files there is nothing to do: the scheduler does not ask for it.
cinder_export=$ADDRESS:/testcloud

# nfs-common because the driver asks for mount.nfs; qemu-utils and libnbd-bin for hosts that mount a volume with snapshots.
cinder_packages() {
  echo cinder-api cinder-scheduler cinder-volume cinder-backup dmidecode python3-cinderclient nfs-common qemu-utils libnbd-bin e2fsprogs
}
cinder_databases() { echo cinder; }
cinder_accounts() {
  local url="http://$ADDRESS:8776/v3/\$(project_id)s"
  echo "service cinder cinderv3 volumev3 $url"
  echo "service cinder cinder block-storage $url"
}

cinder_configure() {
  mkdir -p "$VAR/cinder/lock" "$VAR/cinder/volumes" "$VAR/cinder/mounts" "$VAR/cinder/backups"
  echo "$cinder_export" >"$ETC/cinder/exports"
  {
    echo '[DEFAULT]'
    ini_daemon
    ini_queue
    cat <<INI
osapi_volume_listen = $ADDRESS
osapi_volume_workers = 1
host = $TESTCLOUD_HOSTNAME
my_ip = $ADDRESS
state_path = $VAR/cinder
api_paste_config = /etc/cinder/api-paste.ini
resource_query_filters_file = /etc/cinder/resource_filters.json
glance_api_servers = http://$ADDRESS:9292
enabled_backends = files
default_volume_type = files
storage_availability_zone = nova
report_interval = 5
rpc_response_timeout = 30
volume_clear = none
backup_driver = cinder.backup.drivers.posix.PosixBackupDriver
backup_posix_path = $VAR/cinder/backups
scheduler_default_filters = AvailabilityZoneFilter,CapacityFilter

[files]
volume_backend_name = files
volume_driver = cinder.volume.drivers.nfs.NfsDriver
nfs_shares_config = $ETC/cinder/exports
nfs_mount_point_base = $VAR/cinder/mounts
nfs_sparsed_volumes = true
nfs_snapshot_support = true
nas_secure_file_operations = false
nas_secure_file_permissions = false

[cinder_sys_admin]
helper_command = privsep-helper --config-file $ETC/cinder/cinder.conf
[privsep_osbrick]
helper_command = privsep-helper --config-file $ETC/cinder/cinder.conf

[oslo_concurrency]
lock_path = $VAR/cinder/lock

INI
    ini_database cinder
    ini_account cinder
    ini_account cinder service_user
    ini_account nova nova
    ini_messaging
  } >"$ETC/cinder/cinder.conf"
}

cinder_mount() { echo "$VAR/cinder/mounts/$(printf %s "$cinder_export" | md5sum | cut -d ' ' -f 1)"; }

cinder_schema() { once cinder-schema cinder-manage --config-file "$ETC/cinder/cinder.conf" db sync; }

cinder_start() {
  local mount part since
  mount=$(cinder_mount)
  mkdir -p "$mount"
  mountpoint -q "$mount" || mount --bind "$VAR/cinder/volumes" "$mount" || die "The folder of volumes could not be mounted."
  until_so 90 rabbitmq ready rabbitmq
  since=$(time_to_report cinder-volume)
  for part in api scheduler volume backup; do daemon "cinder-$part" "cinder-$part" --config-file "$ETC/cinder/cinder.conf"; done
  until_so 60 cinder-api ready cinder-api
  until_so 60 'cinder-volume, cinder-scheduler and cinder-backup' reported_since "$since" cinder.services updated_at 3 'deleted = 0'
}

cinder_finish() {
  once cinder-volume-type seed volume-type
  seed volume-pool || die "Cinder's scheduler does not know of its back end; see $LOG."
}

cinder_clean() {
  ! mountpoint -q "$(cinder_mount)" || umount "$(cinder_mount)"
}
