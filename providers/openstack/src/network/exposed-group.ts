import { Fault } from '@gantry/kernel'
import type { Caller, ContainerId, SecurityGroupId } from '@gantry/model'
import type { SecurityGroup, SecurityGroupRuleCreate } from '@gantry/openstack'
import { asking } from './neutron-faults.ts'
import { markOf, neutronOf, type Parts } from './parts.ts'
import { exposedGroupOf, rowOf } from './port-rows.ts'

/** The names of these groups go on with the container's id. */
export const exposedPrefix = 'gantry-exposed-'

/** Ports that follow each other. */
interface Opened {
  readonly protocol: 'tcp' | 'udp'
  readonly first: number
  readonly last: number
}

/** `80/tcp`, `53/udp`, `8080`: the fewest ranges that open them all. Throws `request.invalid`. */
function openedRanges(ports: readonly string[]): Opened[] {
  const byProtocol = new Map<Opened['protocol'], Set<number>>()
  for (const text of ports) {
    const [, digits = '', protocol = 'tcp'] = /^(\d{1,5})(?:\/(tcp|udp))?$/.exec(text) ?? []
    const port = Number(digits)
    if (port < 1 || port > 65_535) throw new Fault('request.invalid', { problem: `${text} is no port to expose.` })
    const kind = protocol === 'udp' ? 'udp' : 'tcp'
    byProtocol.set(kind, (byProtocol.get(kind) ?? new Set()).add(port))
  }
  return [...byProtocol].flatMap(([protocol, numbers]) => {
    const ranges: Opened[] = []
    for (const port of [...numbers].sort((a, b) => a - b)) {
      const last = ranges.at(-1)
      if (last && last.last === port - 1) ranges[ranges.length - 1] = { ...last, last: port }
      else ranges.push({ protocol, first: port, last: port })
    }
    return ranges
  })
}

/** The group of a container's exposed ports, still empty; `openFurther` opens them. */
export async function makeExposedGroup(
  parts: Parts,
  caller: Caller,
  containerId: ContainerId,
): Promise<SecurityGroup & { readonly id: SecurityGroupId }> {
  const name = `${exposedPrefix}${containerId}`
  const group = await asking({ type: 'security group', ref: name }, () =>
    neutronOf(parts, caller).securityGroups.create(
      { name, description: markOf(parts), ...(caller.isAdmin && { project_id: caller.projectId }) },
      parts.access.contextOf(caller),
    ),
  )
  const { projectId } = caller
  await parts.store.cloudPorts.insert(rowOf(parts, { id: group.id, kind: 'group', projectId, containerId }))
  return { ...group, id: group.id as SecurityGroupId }
}

/** Lets everybody in to these ports, over IPv4 and IPv6, as far as the group does not yet. */
export async function openFurther(
  parts: Parts,
  caller: Caller,
  group: SecurityGroup,
  ports: readonly string[],
): Promise<void> {
  const known = group.security_group_rules ?? []
  const missing = openedRanges(ports)
    .flatMap((range) => (['IPv4', 'IPv6'] as const).map((ethertype) => ruleOf(group.id, range, ethertype)))
    .filter((rule) => !known.some((each) => isSame(rule, each)))
  if (missing.length === 0) return
  await asking({ type: 'security group', ref: group.name }, () =>
    neutronOf(parts, caller).createRules(missing, parts.access.contextOf(caller)),
  )
}

/** Opens further ports of a container that is there; answers its group. */
export async function exposeFurther(
  parts: Parts,
  caller: Caller,
  containerId: ContainerId,
  ports: readonly string[],
): Promise<SecurityGroupId> {
  const known = await exposedGroupOf(parts.store, containerId)
  const group =
    known === null
      ? await makeExposedGroup(parts, caller, containerId)
      : await asking({ type: 'security group', ref: known }, () =>
          neutronOf(parts, caller).securityGroups.show(known, parts.access.contextOf(caller)),
        )
  await openFurther(parts, caller, group, ports)
  return group.id as SecurityGroupId
}

function ruleOf(group: string, { protocol, first, last }: Opened, ethertype: 'IPv4' | 'IPv6'): SecurityGroupRuleCreate {
  return {
    security_group_id: group,
    direction: 'ingress',
    ethertype,
    protocol,
    port_range_min: first,
    port_range_max: last,
  }
}

function isSame(rule: SecurityGroupRuleCreate, known: NonNullable<SecurityGroup['security_group_rules']>[number]) {
  const { direction, ethertype, protocol, port_range_min: first, port_range_max: last } = known
  if (direction !== rule.direction || ethertype !== rule.ethertype || protocol !== rule.protocol) return false
  return first === rule.port_range_min && last === rule.port_range_max
}
