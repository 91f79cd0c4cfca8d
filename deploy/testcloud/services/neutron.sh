# Neutron, on port 9696: ML2 with the Linux bridge agent, routers, port forwardings, trunks.
#
# Projects' networks are VXLAN. The external network `public` (172.24.4.0/24) is flat, on a bridge whose address 172.24.4.1 is
# the cloud's own: floating IPs answer from inside the cloud's network and no packet leaves it.

neutron_packages() {
  echo neutron-server neutron-linuxbridge-agent neutron-l3-agent neutron-dhcp-agent python3-neutronclient \
    iptables ipset ebtables conntrack dnsmasq-base iputils-arping iputils-ping
}
neutron_databases() { echo neutron; }
neutron_accounts() { echo "service neutron neutron network http://$ADDRESS:9696"; }

neutron_configure() {
  mkdir -p "$VAR/neutron/lock"
  neutron_server_configuration >"$ETC/neutron/neutron.conf"
  local filter='[securitygroup]
enable_security_group = true
enable_ipset = true
firewall_driver = iptables'
  cat >"$ETC/neutron/ml2.ini" <<INI
[ml2]
type_drivers = flat,vxlan
tenant_network_types = vxlan
mechanism_drivers = linuxbridge,l2population
extension_drivers = port_security

[ml2_type_flat]
flat_networks = public

[ml2_type_vxlan]
vni_ranges = 1:1000

$filter
INI
  # Population of forwarding tables even on one host: else VXLAN floods into a multicast group, `lo` hands that straight back, and
  # bridges learn the addresses of containers on the wrong side.
  cat >"$ETC/neutron/linuxbridge.ini" <<INI
[linux_bridge]
bridge_mappings = public:br-ex

[vxlan]
enable_vxlan = true
local_ip = $ADDRESS
l2_population = true

[agent]
polling_interval = 1
prevent_arp_spoofing = true

$filter
INI
  cat >"$ETC/neutron/l3.ini" <<INI
[DEFAULT]
interface_driver = linuxbridge
agent_mode = legacy
enable_metadata_proxy = false

[agent]
extensions = port_forwarding
INI
  cat >"$ETC/neutron/dhcp.ini" <<INI
[DEFAULT]
interface_driver = linuxbridge
dhcp_driver = neutron.agent.linux.dhcp.Dnsmasq
enable_isolated_metadata = false
resync_interval = 5
INI
}

neutron_server_configuration() {
  echo '[DEFAULT]'
  ini_daemon
  ini_queue
  # Nobody answers Neutron's questions for half a minute when an agent starts before the server: hence the short wait.
  cat <<INI
bind_host = $ADDRESS
host = $TESTCLOUD_HOSTNAME
state_path = $VAR/neutron
api_paste_config = /etc/neutron/api-paste.ini
core_plugin = ml2
service_plugins = router,port_forwarding,trunk
api_workers = 1
rpc_workers = 1
rpc_state_report_workers = 0
rpc_response_timeout = 20
dhcp_agents_per_network = 1
agent_down_time = 30
notify_nova_on_port_status_changes = false
notify_nova_on_port_data_changes = false

[agent]
root_helper = env
report_interval = 10

[experimental]
linuxbridge = true

[oslo_concurrency]
lock_path = $VAR/neutron/lock

INI
  # With more than one thread, calls of two of them now and then hang on a lock ("cannot switch to a different thread").
  local part
  for part in '' _dhcp_release _ovs_vsctl _namespace _conntrack _link; do
    printf '[privsep%s]\nthread_pool_size = 1\n\n' "$part"
  done
  ini_database neutron
  ini_account neutron
  ini_account placement placement
  ini_messaging
}

neutron_schema() {
  once neutron-schema neutron-db-manage --config-file "$ETC/neutron/neutron.conf" --config-file "$ETC/neutron/ml2.ini" upgrade heads
}

neutron_external_bridge() {
  [ -e /sys/class/net/br-ex ] || ip link add br-ex type bridge forward_delay 0 stp_state 0 || return
  ip addr replace 172.24.4.1/24 dev br-ex
  ip link set br-ex up
  sysctl -qw net.ipv4.ip_forward=1 net.bridge.bridge-nf-call-iptables=1 net.bridge.bridge-nf-call-ip6tables=1
}

neutron_start() {
  local conf=(--config-file "$ETC/neutron/neutron.conf") agent since
  until_so 90 rabbitmq ready rabbitmq
  neutron_external_bridge || die 'The external bridge br-ex could not be made.'
  daemon neutron-server neutron-server "${conf[@]}" --config-file "$ETC/neutron/ml2.ini"
  # The agents only when it answers: what they ask of an absent server is lost.
  until_so 120 neutron-server ready neutron-server
  since=$(time_to_report neutron-linuxbridge-agent)
  for agent in $TESTCLOUD_AGENTS; do
    case $agent in
    dhcp | linuxbridge) daemon "neutron-$agent-agent" /usr/bin/python3 "$HERE/neutron-$agent-agent.py" "${conf[@]}" --config-file "$ETC/neutron/$agent.ini" ;;
    *) daemon "neutron-$agent-agent" "neutron-$agent-agent" "${conf[@]}" --config-file "$ETC/neutron/$agent.ini" ;;
    esac
  done
  until_so 90 "Neutron's agents" reported_since "$since" neutron.agents heartbeat_timestamp "$(wc -w <<<"$TESTCLOUD_AGENTS")"
}

neutron_finish() { once neutron-public-network seed public-network; }

# With the cloud's namespaces all of this goes by itself.
neutron_clean() {
  local file id
  for file in "$VAR"/neutron/dhcp/*/pid "$VAR"/neutron/external/pids/*.pid; do
    [ ! -s "$file" ] || kill "$(cat "$file")" 2>/dev/null
  done
  [ -n "${TESTCLOUD_OUTSIDE:-}" ] && is_running mariadb || return 0
  for id in $(sql -N neutron -e "SELECT CONCAT('qdhcp-', id) FROM networks UNION SELECT CONCAT('qrouter-', id) FROM routers"); do
    [ ! -e "/run/netns/$id" ] || ip netns delete "$id"
  done
  for id in $(sql -N neutron -e 'SELECT LEFT(id, 11) FROM networks'); do
    for file in /sys/class/net/brq"$id"/brif/vxlan-*; do [ ! -e "$file" ] || ip link delete "$(basename "$file")"; done
    [ ! -e "/sys/class/net/brq$id" ] || ip link delete "brq$id"
  done
  [ ! -e /sys/class/net/br-ex ] || ip link delete br-ex
}
