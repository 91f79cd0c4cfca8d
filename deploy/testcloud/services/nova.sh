# Nova, on port 8774, with its own make-believe hypervisor: servers become ACTIVE, hold ports and addresses, and nothing runs.
# It needs glance, placement and neutron.

# nova-compute's package wants a hypervisor; its code is in python3-nova. The last line is for cloud-init.
nova_packages() {
  echo nova-api nova-conductor nova-scheduler python3-novaclient \
    python3-configobj python3-jinja2 python3-jsonpatch python3-jsonschema python3-netifaces python3-oauthlib
}
# What tests boot machines with in the hypervisor's place. Not installed: at the next start it would set up this machine.
nova_fetch() {
  local folder=$VAR/cloud-init
  [ -e "$folder/usr" ] && return
  say 'fetching cloud-init'
  mkdir -p "$folder" && (cd "$folder" && { apt-get download cloud-init || { apt-get update && apt-get download cloud-init; }; } &&
    dpkg -x cloud-init_*.deb . && rm cloud-init_*.deb) >>"$LOG/packages.log" 2>&1 </dev/null ||
    die "Fetching cloud-init failed; see $LOG/packages.log, and check the package sources with apt-get update."
}
nova_databases() { echo nova nova_api nova_cell0; }
nova_accounts() { echo "service nova nova compute http://$ADDRESS:8774/v2.1"; }

nova_configure() {
  mkdir -p "$VAR/nova/instances" "$VAR/nova/lock"
  {
    echo '[DEFAULT]'
    ini_daemon
    ini_queue
    # Neutron may run without Nova and does not tell it when a port is wired.
    cat <<INI
host = $TESTCLOUD_HOSTNAME
my_ip = $ADDRESS
osapi_compute_listen = $ADDRESS
osapi_compute_workers = 1
enabled_apis = osapi_compute
state_path = $VAR/nova
compute_driver = fake.SmallFakeDriver
vif_plugging_is_fatal = false
vif_plugging_timeout = 0
report_interval = 5

[wsgi]
api_paste_config = /etc/nova/api-paste.ini
[conductor]
workers = 1
[scheduler]
workers = 1
discover_hosts_in_cells_interval = 10
[glance]
api_servers = http://$ADDRESS:9292
[cinder]
os_region_name = $TESTCLOUD_REGION
catalog_info = volumev3:cinderv3:publicURL
[vnc]
enabled = false
[oslo_concurrency]
lock_path = $VAR/nova/lock

INI
    ini_database nova
    ini_database nova_api api_database
    ini_account nova
    ini_account nova service_user
    ini_account nova neutron
    ini_account placement placement
    ini_messaging
  } >"$ETC/nova/nova.conf"
}

nova_manage() { nova-manage --config-file "$ETC/nova/nova.conf" "$@"; }
nova_tables() {
  nova_manage api_db sync &&
    nova_manage cell_v2 map_cell0 --database_connection \
      "mysql+pymysql://nova_cell0:$TESTCLOUD_PASSWORD@$ADDRESS/nova_cell0?charset=utf8" &&
    nova_manage db sync &&
    nova_manage cell_v2 create_cell --name=cell1
}
nova_schema() { once nova-schema nova_tables; }

nova_compute_is_known() { [ "$(sql -N nova -e 'SELECT COUNT(*) FROM compute_nodes WHERE deleted = 0')" -ge 1 ]; }

nova_start() {
  until_so 90 rabbitmq ready rabbitmq
  daemon nova-api nova-api --config-file "$ETC/nova/nova.conf"
  until_so 60 nova-api ready nova-api
}

# These log in at Keystone as they start, and give up if they cannot.
nova_finish() {
  local conf=(--config-file "$ETC/nova/nova.conf") part
  for part in conductor scheduler; do daemon "nova-$part" "nova-$part" "${conf[@]}"; done
  daemon nova-compute /usr/bin/python3 -c 'from nova.cmd.compute import main; main()' "${conf[@]}"
  once nova-flavor seed flavor
  until_so 90 nova-compute nova_compute_is_known
  once nova-hosts nova_manage cell_v2 discover_hosts
}
