import type { GroupPlan, Nic } from '@gantry/model'
import { checkedAddress, checkedMac, hexOfIpv6, linkLocalOf } from './address.ts'
import { groupChain, groupNames, remoteGroups } from './group-rules.ts'
import { linkNames } from './names.ts'

/**
 * The packet filter of one network: nftables rules in its namespace, on the frames that cross its bridge.
 *
 * Few kernels track connections of bridged frames (nf_conntrack_bridge), but all with br_netfilter show them to the `inet`
 * hooks first (at priority -1 of the bridge's forward hook, before ours). There a chain marks what belongs to a connection
 * that was let through, and the chains of the bridge family, which see the ports, accept what is marked.
 *
 * Before the bridge learns from a frame where a MAC address is, it must be the port's own: or a container would be sent what
 * is for another whose address it uses. And what the bridge floods reaches only whom it is for.
 *
 * A frame of a container's port goes to that port's own chain: is its sender who it says, and does one of its groups let it
 * out? Then to `deliver`: does a group of the port that it goes to let it in? A port that no map names passes nothing, so
 * that a container whose rules are not there yet is shut and not open. Routers' ports pass everything to `deliver`.
 */
export interface Ruleset {
  /** Lines of each chain. */
  readonly chains: ReadonlyMap<string, readonly string[]>
  readonly sets: ReadonlyMap<string, { readonly type: string; readonly elements: ReadonlySet<string> }>
  /** Port's interface to the verdict for frames from it, and for frames to it. */
  readonly from: ReadonlyMap<string, string>
  readonly to: ReadonlyMap<string, string>
}

export const noRules: Ruleset = { chains: new Map(), sets: new Map(), from: new Map(), to: new Map() }

export interface RulesInput {
  /** Plugged, or to be plugged, into this network on this host. */
  readonly nics: readonly Nic[]
  readonly group: (id: string) => GroupPlan | undefined
  /** Addresses of the members on this host, in all networks: a router may lead from one to another. */
  readonly members: (id: string, version: 4 | 6) => Iterable<string>
}

/** What the rules must be. Pure. */
export function networkRules({ nics, group, members }: RulesInput): Ruleset {
  const chains = new Map<string, readonly string[]>()
  const sets = new Map<string, { type: string; elements: Set<string> }>()
  const from = new Map<string, string>()
  const to = new Map<string, string>()
  const stations = new Set<string>()
  const unfiltered = new Set<string>()
  sets.set('stations', { type: 'ifname . ether_addr', elements: stations })
  sets.set('unfiltered', { type: 'ifname', elements: unfiltered })

  for (const id of new Set(nics.flatMap((nic) => (nic.filtered ? nic.groups : [])))) {
    // One that is not known yet lets nothing through.
    const plan = group(id) ?? { id, rules: [] }
    chains.set(groupNames.ingress(id), groupChain(plan, 'ingress'))
    chains.set(groupNames.egress(id), groupChain(plan, 'egress'))
    for (const remote of remoteGroups(plan)) {
      const type = remote.version === 4 ? 'ipv4_addr' : 'ipv6_addr'
      sets.set(groupNames.members(remote.id, remote.version), {
        type,
        elements: new Set(members(remote.id, remote.version)),
      })
    }
  }
  for (const nic of nics) {
    const port = linkNames.port(nic.portId)
    stations.add(`"${port}" . ${checkedMac(nic.mac)}`)
    if (!nic.filtered) unfiltered.add(`"${port}"`)
    if (nic.filtered) {
      chains.set(`${port}-o`, outChain(nic))
      chains.set(`${port}-i`, inChain(nic))
    }
    from.set(port, nic.filtered ? `goto ${port}-o` : 'goto deliver')
    to.set(port, nic.filtered ? `goto ${port}-i` : 'accept')
  }
  return { chains, sets, from, to }
}

/** The sender must be who it says, in Ethernet, ARP, IP and neighbour discovery; then the groups decide. */
function outChain({ mac, addresses, groups }: Nic): string[] {
  const own = checkedMac(mac)
  const v4 = addresses.filter(({ version }) => version === 4).map(({ address }) => checkedAddress(address, 4))
  const v6 = addresses.filter(({ version }) => version === 6).map(({ address }) => checkedAddress(address, 6))
  const all6 = [...v6, linkLocalOf(own)]
  return [
    `ether saddr != ${own} drop`,
    // 0.0.0.0: the question whether an address is free (RFC 5227).
    ...(v4.length === 0
      ? []
      : [`ether type arp arp saddr ether ${own} arp saddr ip ${oneOf([...v4, '0.0.0.0'])} goto deliver`]),
    ...(v6.length === 0
      ? []
      : [
          `ether type ip6 ip6 saddr ${oneOf([...all6, '::'])} icmpv6 type nd-neighbor-solicit goto deliver`,
          // The target address of an advertisement follows the first 64 bits of ICMP (RFC 4861, 4.4).
          `ether type ip6 ip6 saddr ${oneOf(all6)} icmpv6 type nd-neighbor-advert @th,64,128 ${oneOf(all6.map(hexOfIpv6))} goto deliver`,
          'ether type ip6 icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-advert, nd-redirect } drop',
        ]),
    'ether type != { ip, ip6 } drop',
    v4.length === 0 ? 'ether type ip drop' : `ether type ip ip saddr != ${oneOf(v4)} drop`,
    v6.length === 0 ? 'ether type ip6 drop' : `ether type ip6 ip6 saddr != ${oneOf(v6)} drop`,
    `meta mark ${established} goto deliver`,
    ...groups.map((id) => `jump ${groupNames.egress(id)}`),
    'drop',
  ]
}

function inChain({ groups }: Nic): string[] {
  return [...groups.map((id) => `jump ${groupNames.ingress(id)}`), 'drop']
}

function oneOf(values: readonly string[]): string {
  return `{ ${[...new Set(values)].join(', ')} }`
}

/** The mark of frames of a connection that was let through. */
const established = '0x1'

/** The tables, empty but for the chains that every network has. */
const skeleton = `add table inet gantry
delete table inet gantry
add table bridge gantry
delete table bridge gantry
table inet gantry {
  chain forward {
    type filter hook forward priority 0; policy accept;
    ct state established,related meta mark set ${established}
  }
}
table bridge gantry {
  set stations { type ifname . ether_addr; }
  set unfiltered { type ifname; }
  map from { type ifname : verdict; }
  map to { type ifname : verdict; }
  chain prerouting {
    type filter hook prerouting priority -300; policy accept;
    iifname . ether saddr @stations accept
    iifname @unfiltered accept
    iifname "gp*" drop
  }
  chain deliver {
    oifname "gp*" ether daddr & 01:00:00:00:00:00 == 00:00:00:00:00:00 oifname . ether daddr != @stations oifname != @unfiltered drop
    meta mark ${established} accept
    ether type arp accept
    icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
    oifname vmap @to
    oifname "gp*" drop
    accept
  }
  chain forward {
    type filter hook forward priority 10; policy drop;
    iifname vmap @from
    iifname "gp*" drop
    goto deliver
  }
}
`

/** A transaction that replaces whatever rules are there. Pure. */
export function wholeTransaction(rules: Ruleset): string {
  return skeleton + transaction(noRules, rules)
}

/** A transaction from one ruleset to another, as small as the difference; empty if there is none. Pure. */
export function transaction(before: Ruleset, after: Ruleset): string {
  const lines: string[] = []
  const table = 'bridge gantry'
  for (const [name, { type, elements }] of after.sets) {
    const old = before.sets.get(name)
    if (!old) lines.push(`add set ${table} ${name} { type ${type}; }`)
    pushElements(
      lines,
      'delete',
      name,
      [...(old?.elements ?? [])].filter((element) => !elements.has(element)),
    )
    pushElements(
      lines,
      'add',
      name,
      [...elements].filter((element) => old?.elements.has(element) !== true),
    )
  }
  for (const name of after.chains.keys()) if (!before.chains.has(name)) lines.push(`add chain ${table} ${name}`)
  for (const [name, rules] of after.chains) {
    const old = before.chains.get(name)
    if (old === rules || (old && same(old, rules))) continue
    if (old) lines.push(`flush chain ${table} ${name}`)
    for (const rule of rules) lines.push(`add rule ${table} ${name} ${rule}`)
  }
  for (const map of ['from', 'to'] as const) {
    const changed = (port: string, verdict: string) => after[map].get(port) !== verdict
    const stale = [...before[map]].filter(([port, verdict]) => changed(port, verdict))
    pushElements(
      lines,
      'delete',
      map,
      stale.map(([port]) => `"${port}"`),
    )
    const fresh = [...after[map]].filter(([port, verdict]) => before[map].get(port) !== verdict)
    pushElements(
      lines,
      'add',
      map,
      fresh.map(([port, verdict]) => `"${port}" : ${verdict}`),
    )
  }
  const goneChains = [...before.chains.keys()].filter((name) => !after.chains.has(name))
  for (const name of goneChains) lines.push(`flush chain ${table} ${name}`)
  for (const name of goneChains) lines.push(`delete chain ${table} ${name}`)
  for (const name of before.sets.keys()) if (!after.sets.has(name)) lines.push(`delete set ${table} ${name}`)
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`
}

function pushElements(lines: string[], verb: 'add' | 'delete', name: string, elements: readonly string[]): void {
  if (elements.length > 0) lines.push(`${verb} element bridge gantry ${name} { ${elements.join(', ')} }`)
}

function same(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((line, at) => line === other[at])
}
