/** Rows of what the embedded network provider keeps. `seq` is the order of creation. */
export interface NetworkDatabase {
  networks: NetworkRow
  subnets: SubnetRow
  ports: PortRow
  port_addresses: { subnet_id: string; address: string; port_id: string; position: number }
  port_groups: { port_id: string; group_id: string; position: number }
  security_groups: {
    id: string
    seq: number
    project_id: string
    name: string
    description: string
    created_at: number
  }
  security_group_rules: SecurityGroupRuleRow
  routers: RouterRow
  /** The networks that a router has interfaces on: an index of `routers.interfaces`. */
  router_networks: { network_id: string; router_id: string }
  floating_ips: FloatingIpRow
  port_forwardings: PortForwardingRow
}

interface NetworkRow {
  id: string
  seq: number
  project_id: string
  name: string
  shared: number
  external: number
  mtu: number
  usual: number | null
  /** JSON. */
  labels: string | null
  created_at: number
}

interface SubnetRow {
  id: string
  seq: number
  project_id: string
  network_id: string
  name: string
  version: number
  cidr: string
  gateway: string | null
  /** JSON array of ranges. */
  pools: string
  /** JSON array of addresses. */
  dns_servers: string
  created_at: number
}

interface PortRow {
  id: string
  seq: number
  project_id: string
  network_id: string
  name: string
  mac: string
  filtered: number
  device_id: string | null
  device_owner: string
  host_id: string | null
  preserve: number
  created_at: number
}

interface SecurityGroupRuleRow {
  id: string
  seq: number
  group_id: string
  direction: string
  version: number
  protocol: string | null
  port_min: number | null
  port_max: number | null
  remote_group_id: string | null
  remote_prefix: string | null
}

interface RouterRow {
  id: string
  seq: number
  project_id: string
  name: string
  /** JSON. */
  gateway: string | null
  /** JSON array. */
  interfaces: string
  created_at: number
}

interface FloatingIpRow {
  id: string
  seq: number
  project_id: string
  network_id: string
  address: string
  port_id: string | null
  fixed_address: string | null
  router_id: string | null
  published: number | null
  created_at: number
}

interface PortForwardingRow {
  id: string
  seq: number
  floating_ip_id: string
  protocol: string
  external_port: number
  port_id: string
  address: string
  internal_port: number
}
