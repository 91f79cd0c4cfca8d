import { firstOf, type Port, type SecurityGroup } from '@gantry/openstack'
import type { ExposedPort } from './messages.ts'
import { nameOf } from './names.ts'
import type { Site } from './site.ts'

/** Consecutive ports of one protocol, as one rule says them. */
export interface PortSpan {
  /** Neutron's word for it, or its number. */
  readonly protocol: string
  /** null: a protocol without ports. */
  readonly ports: { readonly min: number; readonly max: number } | null
}

const protocols: Readonly<Record<number, string>> = { 1: 'icmp', 6: 'tcp', 17: 'udp', 58: 'ipv6-icmp', 132: 'sctp' }
const withPorts: ReadonlySet<number> = new Set([6, 17, 132])

/** As few rules as can be. Pure. */
export function spansOf(exposed: readonly ExposedPort[]): PortSpan[] {
  const sorted = [...exposed].sort((one, other) => one.Proto - other.Proto || one.Port - other.Port)
  const spans: { protocol: string; ports: { min: number; max: number } | null }[] = []
  for (const { Proto, Port } of sorted) {
    const protocol = protocols[Proto] ?? String(Proto)
    const last = spans.at(-1)
    const same = last?.protocol === protocol ? last : undefined
    if (!withPorts.has(Proto)) {
      if (!same) spans.push({ protocol, ports: null })
    } else if (same?.ports && Port <= same.ports.max + 1) {
      same.ports.max = Port
    } else {
      spans.push({ protocol, ports: { min: Port, max: Port } })
    }
  }
  return spans
}

/** The group that lets everybody reach what a container exposes; the one that is there already, if the call is a repeated one. */
export async function exposedGroup(site: Site, port: Port, exposed: readonly ExposedPort[]): Promise<SecurityGroup> {
  const { binding, marks } = site
  const name = nameOf.group(port.id)
  const project_id = await site.project()
  const context = site.context()
  const present =
    port.security_groups?.length === 1
      ? null
      : await firstOf(binding.securityGroups.list({ name, project_id }, context))
  const group =
    present ?? (await binding.securityGroups.create({ name, description: marks.group, project_id }, context))
  const families = new Set(
    port.fixed_ips.map(({ ip_address }) => (ip_address.includes(':') ? ('IPv6' as const) : ('IPv4' as const))),
  )
  const rules = spansOf(exposed).flatMap(({ protocol, ports }) =>
    [...families].map((ethertype) => ({
      security_group_id: group.id,
      direction: 'ingress' as const,
      ethertype,
      protocol,
      ...(ports && { port_range_min: ports.min, port_range_max: ports.max }),
    })),
  )
  if (!present) await Promise.all(rules.map((rule) => binding.securityGroupRules.create(rule, context)))
  return group
}
