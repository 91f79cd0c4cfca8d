import { type Caller, type Container, type ContainerId, isConfined, type NetworkId, type Nic } from '@gantry/model'
import type { Deps } from '../deps.ts'
import type { NetRequest } from '../ports/networks.ts'
import type { Tables } from '../ports/store.ts'
import { isLive } from './publish.ts'

/** A container that lost an interface whose address another asked for. */
interface Vacated {
  readonly container: Container
  readonly nic: Nic
}

/**
 * With Docker, a stopped container holds no address: one that asks for it by name gets it. So whoever has an address that is
 * asked for here, was made by a Docker client and does not run, loses its interface; `moved` gives it another afterwards,
 * in the same transaction.
 */
export async function vacate(
  deps: Pick<Deps, 'networks'>,
  tables: Tables,
  caller: Caller,
  nets: readonly NetRequest[],
): Promise<Vacated[]> {
  const vacated: Vacated[] = []
  for (const net of nets) {
    if (!('network' in net) || net.addresses.length === 0) continue
    for (const port of await tables.ports.ofNetwork(net.network as NetworkId)) {
      const isAsked = port.fixedIps.some(({ address }) => net.addresses.includes(address))
      if (!isAsked || port.preserve || port.deviceId === null) continue
      const container = await tables.containers.get(port.deviceId as ContainerId)
      const nic = container?.nics.find(({ portId }) => portId === port.id)
      if (!container || !nic || !givesWay(container, caller)) continue
      await deps.networks.detach(tables, container.id, [nic])
      vacated.push({ container, nic })
    }
  }
  return vacated
}

function givesWay(container: Container, { projectId }: Caller): boolean {
  const { spec, wish } = container
  return container.projectId === projectId && isConfined(spec.options) && !wish.gone && !isLive(container)
}

/** The containers as they are with their new interfaces: their hosts must hear of it. */
export async function moved(
  deps: Pick<Deps, 'networks'>,
  tables: Tables,
  caller: Caller,
  vacated: readonly Vacated[],
): Promise<Container[]> {
  const changed: Container[] = []
  for (const { container: before, nic } of vacated) {
    const container = changed.find(({ id }) => id === before.id) ?? before
    const { id, hostId } = container
    const nics = container.nics.filter(({ portId }) => portId !== nic.portId)
    const next = await deps.networks.attach(tables, caller, id, nics, { network: nic.networkId, addresses: [] })
    if (hostId !== null) await deps.networks.place(tables, id, hostId)
    const all = container.nics.map((one) => (one.portId === nic.portId ? next : one))
    await tables.containers.update(id, { nics: all })
    changed.push({ ...container, nics: all })
  }
  return changed
}
