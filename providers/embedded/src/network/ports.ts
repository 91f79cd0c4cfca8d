import type { NetworkVerbs, NewPort, PortChange } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { Caller, FixedIp, Network, Port, SecurityGroupId } from '@gantry/model'
import { chooseAddresses } from './allocate.ts'
import { defaultGroup, groupIdsFor } from './groups.ts'
import { insertPort } from './insert-port.ts'
import { checkName, conflict, type Parts, requireAdmin, scopeOf, transact, type Work } from './parts.ts'
import { deletePort } from './release-port.ts'
import { networkBy, portBy, requireOwner } from './sight.ts'

export function ports(parts: Parts): NetworkVerbs['ports'] {
  return {
    create: (caller, input) => transact(parts, (work) => createPort(work, caller, input)),
    async list(caller, options = {}) {
      const { store } = parts
      const { network: ref, device } = options
      const scope = scopeOf(caller, options)
      const networkId = ref === undefined ? undefined : (await networkBy(store, caller, ref)).id
      const found = device === undefined ? await store.ports.list(scope) : await store.ports.ofDevice(device)
      return found.filter(
        (port) =>
          (scope === null || port.projectId === scope) && (networkId === undefined || port.networkId === networkId),
      )
    },
    get: (caller, ref) => portBy(parts.store, caller, ref),
    update: (caller, ref, change) => transact(parts, (work) => updatePort(work, caller, ref, change)),
    delete: (caller, ref) =>
      transact(parts, async (work) => {
        const port = await portBy(work.tables, caller, ref)
        requireFree(port, ref)
        await deletePort(work, port.id)
      }),
  }
}

/** Throws `network.in-use` for a port that something is plugged into. */
export function requireFree({ deviceId, deviceOwner }: Port, ref: string): void {
  if (deviceId === null && deviceOwner === '') return
  const users: Readonly<Record<string, string>> = {
    '': 'device',
    'compute:kuryr': 'container',
    'network:router_interface': 'router',
    'network:router_gateway': 'router',
    'network:floatingip': 'floating IP',
  }
  const user = users[deviceOwner] ?? deviceOwner
  throw new Fault('network.in-use', { type: 'port', ref, reason: `${user} ${deviceId ?? ''} has it` })
}

async function createPort(work: Work, caller: Caller, input: NewPort): Promise<Port> {
  const network = await networkBy(work.tables, caller, input.network)
  if (network.external) requireAdmin(caller, 'Making a port on an external network')
  const filtered = input.filtered ?? true
  // Either would let a guest of a shared network pass for somebody else on it.
  if (!filtered) requireOwner(caller, network, 'Making a port that is not filtered')
  if (input.mac !== undefined) requireOwner(caller, network, 'Choosing a MAC address')
  const fixedIps = await chooseAddresses(work, network, input.fixedIps)
  await requireGatewayRight(work, caller, network, fixedIps)
  return insertPort(work, {
    projectId: caller.projectId,
    networkId: network.id,
    name: checkName(input.name, 'port'),
    fixedIps,
    groups: await groupsOfNew(work, caller, filtered, input.groups),
    filtered,
    deviceId: null,
    deviceOwner: '',
    preserve: true,
    ...(input.mac === undefined ? {} : { mac: input.mac }),
  })
}

async function groupsOfNew(
  work: Work,
  caller: Caller,
  filtered: boolean,
  refs: readonly string[] | undefined,
): Promise<SecurityGroupId[]> {
  if (refs === undefined) return filtered ? [(await defaultGroup(work, caller.projectId)).id] : []
  const ids = await groupIdsFor(work, caller, caller, refs)
  if (!filtered) requireNoGroups(ids)
  return ids
}

function requireNoGroups(groups: readonly SecurityGroupId[]): void {
  if (groups.length > 0) throw conflict('Security groups need a filtered port; give it none, or have it filtered.')
}

/** A gateway's address belongs to whoever runs the network; on an external one the host itself has it. */
export async function requireGatewayRight(
  { tables }: Work,
  caller: Caller,
  network: Network,
  fixedIps: readonly FixedIp[],
): Promise<void> {
  for (const { subnetId, address } of fixedIps) {
    const subnet = await tables.subnets.get(subnetId)
    if (subnet?.gateway !== address) continue
    if (network.external) throw new Fault('address.in-use', { address })
    requireOwner(caller, network, `Taking the gateway's address ${address}`)
  }
}

async function updatePort(work: Work, caller: Caller, ref: string, change: PortChange): Promise<Port> {
  const { tables } = work
  const port = await portBy(tables, caller, ref)
  const isService = port.deviceOwner.startsWith('network:')
  if (isService && (change.groups !== undefined || change.filtered !== undefined)) requireFree(port, ref)
  const filtered = change.filtered ?? port.filtered
  if (!filtered && port.filtered) {
    const network = await networkBy(tables, caller, port.networkId)
    requireOwner(caller, network, 'Leaving a port unfiltered')
  }
  const groups = change.groups === undefined ? port.groups : await groupIdsFor(work, caller, port, change.groups)
  if (!filtered) requireNoGroups(groups)
  const next = { name: checkName(change.name ?? port.name, 'port'), groups, filtered }
  await tables.ports.update(port.id, next)
  return { ...port, ...next }
}
