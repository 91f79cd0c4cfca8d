import type { CloudPort } from '@gantry/control'
import type { HostFacts, Vif } from '@gantry/model'
import { allOf, type Context, isOpenStackError, type NetworkService, type Port, type Trunk } from '@gantry/openstack'

type Nested = NonNullable<HostFacts['nested']>
type Outcome = Vif | { readonly problem: string }

const firstVlan = 1
const lastVlan = 4094
/** Tries to get a VLAN that nobody else takes at the same moment. */
const mostTries = 8

/**
 * Carries a container's port through the one of the VM that it runs in: as a sub-port of its trunk, or behind it with the
 * container's addresses let through. One at a time for each VM. null: the container's port is gone.
 */
export async function nestedBinding(
  neutron: NetworkService,
  row: Pick<CloudPort, 'id' | 'containerId'>,
  nested: Nested,
  context: Context,
): Promise<Outcome | null> {
  const [inner] = await allOf(neutron.ports.list({ id: row.id }, context))
  if (!inner) return null
  const outer = await outerPorts(neutron, nested, context)
  if (outer.length === 0) {
    const problem = `Neutron has no port with the address ${nested.mac} of ${nested.link}: is this machine a VM of the cloud?`
    return { problem }
  }
  return nested.kind === 'vlan'
    ? asSubPort(neutron, { inner, device: row.containerId ?? '' }, outer, nested, context)
    : behind(neutron, inner, outer, nested, context)
}

/** Takes back what `nestedBinding` did for a port; that nothing is there is no matter. */
export async function undoNested(
  neutron: NetworkService,
  portId: string,
  nested: Nested,
  context: Context,
): Promise<void> {
  const outer = await outerPorts(neutron, nested, context)
  if (nested.kind === 'vlan') {
    const trunk = await trunkOf(neutron, outer, context)
    if (trunk?.sub_ports?.some(({ port_id }) => port_id === portId)) {
      await neutron.removeSubPorts(trunk.id, [portId], context)
    }
    return
  }
  const [inner] = await allOf(neutron.ports.list({ id: portId }, context))
  for (const { id, allowed_address_pairs: before = [] } of outer) {
    const left = before.filter(({ mac_address }) => mac_address !== inner?.mac_address)
    if (inner && left.length < before.length) {
      await neutron.ports.update(id, { allowed_address_pairs: left }, context)
    }
  }
}

/** A MAC address is the only one of its network, so there may be several; not those of containers. */
async function outerPorts(neutron: NetworkService, { mac }: Nested, context: Context): Promise<Port[]> {
  const found = await allOf(neutron.ports.list({ mac_address: mac }, context))
  return found.filter(({ device_owner: owner = '' }) => owner !== 'compute:kuryr' && owner !== 'trunk:subport')
}

async function trunkOf(neutron: NetworkService, outer: readonly Port[], context: Context): Promise<Trunk | undefined> {
  if (outer.length === 0) return undefined
  const [trunk] = await allOf(neutron.trunks.list({ port_id: outer.map(({ id }) => id) }, context))
  return trunk
}

async function asSubPort(
  neutron: NetworkService,
  { inner, device }: { readonly inner: Port; readonly device: string },
  outer: readonly Port[],
  { link, mac }: Nested,
  context: Context,
): Promise<Outcome> {
  const update = (device_id: string) => neutron.ports.update(inner.id, { device_id }, context)
  const refused = new Set<number>()
  for (let tries = 1; ; tries += 1) {
    const trunk = await trunkOf(neutron, outer, context)
    if (!trunk) {
      return { problem: `The port of this VM (${mac}) is no trunk's parent, so it can carry no containers' ports.` }
    }
    const { sub_ports: known = [] } = trunk
    const there = known.find(({ port_id }) => port_id === inner.id)?.segmentation_id
    if (there !== undefined) {
      await update(device)
      return { kind: 'vlan', parent: link, vlan: there }
    }
    const vlan = freeVlan(known.map(({ segmentation_id }) => segmentation_id ?? 0).concat([...refused]))
    if (vlan === null) return { problem: `Trunk ${trunk.id} has no free VLAN left.` }
    try {
      // What some device has cannot become a sub-port.
      await update('')
      await neutron.addSubPorts(
        trunk.id,
        [{ port_id: inner.id, segmentation_type: 'vlan', segmentation_id: vlan }],
        context,
      )
    } catch (error) {
      // Somebody else took that number meanwhile.
      if (!isOpenStackError(error, 409) || tries === mostTries) throw error
      refused.add(vlan)
    }
  }
}

function freeVlan(taken: readonly number[]): number | null {
  const known = new Set(taken)
  for (let vlan = firstVlan; vlan <= lastVlan; vlan += 1) if (!known.has(vlan)) return vlan
  return null
}

async function behind(
  neutron: NetworkService,
  inner: Port,
  outer: readonly Port[],
  { link }: Nested,
  context: Context,
): Promise<Outcome> {
  const carrier = outer.find(({ network_id }) => network_id === inner.network_id)
  if (!carrier) {
    const own = outer.map(({ network_id }) => network_id).join(', ')
    return { problem: `Containers on this VM can only be on its own network ${own}, as ${link} carries them.` }
  }
  const { allowed_address_pairs: before = [] } = carrier
  const wanted = inner.fixed_ips.map(({ ip_address }) => ({ ip_address, mac_address: inner.mac_address }))
  const missing = wanted.filter(
    ({ ip_address, mac_address }) =>
      !before.some((pair) => pair.ip_address === ip_address && pair.mac_address === mac_address),
  )
  if (missing.length > 0) {
    await neutron.ports.update(carrier.id, { allowed_address_pairs: [...before, ...missing] }, context)
  }
  return { kind: 'macvlan', parent: link }
}
