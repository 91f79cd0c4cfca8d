import { Fault } from '@gantry/kernel'
import type { Caller, ContainerId, Nic, SecurityGroupId } from '@gantry/model'
import { allOf } from '@gantry/openstack'
import { exposeFurther } from './exposed-group.ts'
import type { MakerParts } from './make-ports.ts'
import { asking } from './neutron-faults.ts'
import { neutronOf, type Parts } from './parts.ts'

/** Opens further ports of a container; answers its nics, whose groups may be others. */
export async function expose(
  parts: MakerParts,
  caller: Caller,
  containerId: ContainerId,
  nics: readonly Nic[],
  ports: readonly string[],
): Promise<Nic[]> {
  const group = await parts.making.during(containerId, () => exposeFurther(parts, caller, containerId, ports))
  return withGroups(parts, caller, nics, ({ groups }) => (groups.includes(group) ? groups : [...groups, group]))
}

/** Adds or removes a group on all ports that are filtered. Throws `group.present` or `group.absent` when it changes nothing. */
export async function regroup(
  parts: MakerParts,
  caller: Caller,
  nics: readonly Nic[],
  change: { add: string } | { remove: string },
): Promise<Nic[]> {
  const ref = 'add' in change ? change.add : change.remove
  const [[group], now] = await Promise.all([parts.lookups.groups(caller, [ref]), asTheyAre(parts, caller, nics)])
  const concerned = now.filter(
    ({ filtered, groups }) => filtered && group !== undefined && groups.includes(group) === 'remove' in change,
  )
  if (concerned.length === 0 || group === undefined) {
    throw new Fault('add' in change ? 'group.present' : 'group.absent', { ref: '', group: ref })
  }
  return withGroups(parts, caller, now, (nic) => {
    if (!concerned.includes(nic)) return nic.groups
    return 'add' in change ? [...nic.groups, group] : nic.groups.filter((one) => one !== group)
  })
}

/** The ports' user may have changed their groups at Neutron. */
async function asTheyAre(parts: Parts, caller: Caller, nics: readonly Nic[]): Promise<Nic[]> {
  if (nics.length === 0) return []
  const found = await asking({ type: 'port', ref: 'of the container' }, () =>
    allOf(
      neutronOf(parts, caller).ports.list({ id: nics.map(({ portId }) => portId) }, parts.access.contextOf(caller)),
    ),
  )
  return nics.map((nic) => {
    const { security_groups: groups, port_security_enabled: secured } = found.find(({ id }) => id === nic.portId) ?? {}
    return {
      ...nic,
      groups: (groups as SecurityGroupId[] | undefined) ?? nic.groups,
      filtered: secured ?? nic.filtered,
    }
  })
}

/** Tells Neutron of the groups that differ. */
async function withGroups(
  parts: Parts,
  caller: Caller,
  nics: readonly Nic[],
  wanted: (nic: Nic) => readonly SecurityGroupId[],
): Promise<Nic[]> {
  const neutron = neutronOf(parts, caller)
  const context = parts.access.contextOf(caller)
  return Promise.all(
    nics.map(async (nic) => {
      const groups = nic.filtered ? wanted(nic) : nic.groups
      if (groups !== nic.groups) {
        await asking({ type: 'port', ref: nic.portId }, () =>
          neutron.ports.update(nic.portId, { security_groups: [...groups] }, context),
        )
      }
      return { ...nic, groups: [...groups] }
    }),
  )
}
