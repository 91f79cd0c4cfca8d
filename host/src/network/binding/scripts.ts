import type { Vif } from '@gantry/model'
import { checkedMac } from '../address.ts'
import { linkNames } from '../names.ts'
import type { BoundPort } from './binder.ts'

/** Scripts for the shell in the namespace of the engine and of Neutron's agent; each may be repeated. */
export interface PlugScripts {
  /** Makes the interfaces, if they are not there as a container needs them that is started anew. */
  readonly make: string
  /** Makes them only if there is no host end at all: one that is there may be in use. Says `made` if it did. */
  readonly makeMissing: string
  /** Puts the host end where it belongs. */
  readonly attach: string
  /** Tells how far it is, in one word of `HostEnd`; empty: it is on its network as soon as it is attached. */
  readonly tell: string
  /** A line of `ip` that lets traffic pass, for a port that has to wait for its filter. */
  readonly join: string
}

/** Of a port that waits for its filter. `early`: the filter that is there is an earlier one's, which is about to go. */
export type HostEnd = 'early' | 'off' | 'on'

/** Neutron's agents know an interface by this name: `tap` and the first eleven characters of the port's id. */
function tapName(portId: string): string {
  return `tap${checkedId(portId).slice(0, 11)}`
}

/** The lines of `ip` that show Neutron's agent a host end that was hidden from it. */
export function showLines(portId: string): string[] {
  return [`link set ${linkNames.early(portId)} name ${tapName(portId)}`, `link set ${tapName(portId)} up`]
}

/** How a port is plugged. Pure. */
export function plugScripts(port: BoundPort, alias: string): PlugScripts {
  const { vif } = port
  const atOnce = { tell: '', join: '' }
  switch (vif.kind) {
    case 'bridge':
      return onBridge(port, checkedName(vif.bridge), vif.filters && port.filtered, alias)
    case 'ovs':
      return { ...veth(port, alias, false), attach: ovs(port, vif, alias), ...atOnce }
    case 'tap':
      return { ...veth(port, alias, false), attach: '', ...atOnce }
    case 'vlan':
      return { ...below(port, vif, `type vlan id ${vif.vlan}`, alias), attach: '', ...atOnce }
    case 'macvlan':
      return { ...below(port, vif, 'type macvlan mode bridge', alias), attach: '', ...atOnce }
  }
}

/** Takes down whatever a port was plugged by. Pure. */
export function unplugScript(portId: string): string {
  const short = checkedId(portId).slice(0, 11)
  const links = [`tap${short}`, linkNames.early(portId), `qvb${short}`, `qbr${short}`, linkNames.container(portId)]
  return `
if command -v ovs-vsctl >/dev/null 2>&1; then
  ovs-vsctl --timeout=5 -- --if-exists del-port tap${short} -- --if-exists del-port qvo${short} 2>/dev/null || true
fi
ip -force -batch - >/dev/null 2>&1 <<END || true
${links.map((link) => `link del ${link}`).join('\n')}
END
`
}

/** `waits`: not before the agent's rules are in force. */
function onBridge(port: BoundPort, bridge: string, waits: boolean, alias: string): PlugScripts {
  const [tap, early] = [tapName(port.portId), linkNames.early(port.portId)]
  const make = veth(port, alias, waits)
  const join = `link set ${tap} master ${bridge}`
  if (!waits) return { ...make, attach: `${ensureBridge(bridge)}ip ${join}\n`, tell: '', join: '' }
  const tell = `
if ip link show ${early} >/dev/null 2>&1; then echo early
elif ip link show ${tap} | grep -q ' master ${bridge} '; then echo on
else echo off
fi
`
  return { ...make, attach: ensureBridge(bridge), tell, join }
}

/**
 * A pair. The host end's own address begins with `fe`, as libvirt makes it: a bridge has the lowest one of its ports, and must not get
 * another whenever a container comes.
 *
 * Where rules for a port of this name are in the kernel although it is not there, the agent is about to remove them. It must not see
 * the new one before it has, or that would be on the bridge when they go.
 */
function veth({ portId, mac, mtu }: BoundPort, alias: string, filtered: boolean) {
  const [tap, early, end] = [tapName(portId), linkNames.early(portId), linkNames.container(portId)]
  const stale = `iptables-save -t filter 2>/dev/null | grep -q '^:neutron-linuxbri-i${portId.slice(0, 10)} '`
  const addresses = { host: `fe${checkedMac(mac).slice(2)}`, container: checkedMac(mac) }
  const add = `
  name=${tap} state=up
  ${filtered ? `if ${stale}; then name=${early} state=down; fi` : ''}
  ip -batch - <<END
link add name $name mtu ${mtu} address ${addresses.host} type veth peer name ${end} mtu ${mtu} address ${addresses.container}
link set $name alias ${checkedAlias(alias)}
link set $name $state
END
`
  return {
    make: `
if ! ip link show ${end} >/dev/null 2>&1; then
  ip link del ${tap} 2>/dev/null || ip link del ${early} 2>/dev/null || true
${add}fi
`,
    makeMissing: `
if ! ip link show ${tap} >/dev/null 2>&1 && ! ip link show ${early} >/dev/null 2>&1; then
${add}  echo made
fi
`,
  }
}

/**
 * As Neutron's agent makes it, if that has not come to it: without a forward delay, or nothing would pass for fifteen seconds, and
 * with no address of its own.
 */
function ensureBridge(bridge: string): string {
  return `
if ! ip link show ${bridge} >/dev/null 2>&1; then
  ip link add ${bridge} type bridge forward_delay 0 stp_state 0 2>/dev/null || ip link show ${bridge} >/dev/null
  [ ! -e /proc/sys/net/ipv6/conf/${bridge} ] || echo 1 > /proc/sys/net/ipv6/conf/${bridge}/disable_ipv6
fi
ip link set ${bridge} up
`
}

/**
 * Open vSwitch's agent finds a port by `iface-id`. Until it has wired it, the port is on a VLAN that leads nowhere; the agent takes
 * that off again. With the hybrid form a Linux bridge for the filter stands between.
 */
function ovs(port: BoundPort, { bridge, hybrid }: Extract<Vif, { kind: 'ovs' }>, alias: string): string {
  const short = checkedId(port.portId).slice(0, 11)
  const ids = [
    `iface-id=${port.portId}`,
    'iface-status=active',
    `attached-mac=${checkedMac(port.mac)}`,
    `vm-uuid=${port.portId}`,
    'owner=gantry',
  ]
  const external = ids.map((id) => `external-ids:${id}`).join(' ')
  const add = (link: string) => `
ovs-vsctl --timeout=10 -- --may-exist add-port ${checkedName(bridge)} ${link} tag=4095 vlan_mode=trunk trunks=4095 \\
  -- set Interface ${link} ${external}
`
  if (!hybrid) return `\nip link set tap${short} nomaster\n${add(`tap${short}`)}`
  return `
ip link show qbr${short} >/dev/null 2>&1 || ip link add qbr${short} type bridge forward_delay 0 stp_state 0
ip link show qvo${short} >/dev/null 2>&1 || ip link add qvb${short} mtu ${port.mtu} type veth peer name qvo${short} mtu ${port.mtu}
ip -batch - <<END
link set qbr${short} alias ${checkedAlias(alias)}
link set qbr${short} up
link set qvb${short} master qbr${short}
link set qvb${short} up
link set tap${short} master qbr${short}
link set qvo${short} up
END
${add(`qvo${short}`)}`
}

/** An interface of the VM's own one: nothing of it is on the host's side. */
function below({ portId, mac, mtu }: BoundPort, { parent }: { readonly parent: string }, type: string, alias: string) {
  const end = linkNames.container(portId)
  const make = `
if ! ip link show ${end} >/dev/null 2>&1; then
  ip -batch - <<END
link add link ${checkedName(parent)} name ${end} mtu ${mtu} address ${checkedMac(mac)} ${type}
link set ${end} alias ${checkedAlias(alias)}
END
fi
`
  return { make, makeMissing: make }
}

function checkedId(portId: string): string {
  if (/^[0-9a-f]{8}-[0-9a-f-]{4,}$/.test(portId)) return portId
  throw new Error(`"${portId}" is not the id of a port.`)
}

/** Names of interfaces become part of a command line. */
function checkedName(name: string): string {
  if (/^[A-Za-z0-9_.-]{1,15}$/.test(name)) return name
  throw new Error(`"${name}" is not the name of an interface.`)
}

function checkedAlias(alias: string): string {
  if (/^[A-Za-z0-9_.:/-]{1,200}$/.test(alias)) return alias
  throw new Error(`"${alias}" cannot be an alias.`)
}
