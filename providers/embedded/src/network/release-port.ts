import type { FloatingIp, Port, PortId } from '@gantry/model'
import type { Work } from './parts.ts'

/** Deletes a port; floating IPs and forwardings lead there no more. */
export async function deletePort(work: Work, id: PortId): Promise<void> {
  await dissociateAll(work, id)
  await work.tables.ports.remove(id)
}

/** What a container or router had is given back: a made port goes, a user's own is free again. */
export async function givePortBack(work: Work, port: Port): Promise<void> {
  if (!port.preserve) return deletePort(work, port.id)
  await work.tables.ports.update(port.id, { deviceId: null, deviceOwner: '', hostId: null })
}

async function dissociateAll(work: Work, portId: PortId): Promise<void> {
  for (const ip of await work.tables.floatingIps.ofPort(portId)) {
    const leaving = ip.forwardings.filter((forwarding) => forwarding.portId === portId)
    for (const { id } of leaving) await work.tables.floatingIps.removeForwarding(ip.id, id)
    const forwardings = ip.forwardings.filter((forwarding) => forwarding.portId !== portId)
    await settleRouter(work, ip.portId === portId ? unbound({ ...ip, forwardings }) : { ...ip, forwardings })
  }
}

export function unbound(ip: FloatingIp): FloatingIp {
  return { ...ip, portId: null, fixedAddress: null }
}

/** Writes where a floating IP leads. One that leads nowhere belongs to no router. */
export async function settleRouter({ tables, touched }: Work, ip: FloatingIp): Promise<FloatingIp> {
  if (ip.routerId !== null) touched.routers.add(ip.routerId)
  const isUsed = ip.portId !== null || ip.forwardings.length > 0
  const settled = isUsed ? ip : { ...ip, routerId: null }
  const { portId, fixedAddress, routerId } = settled
  await tables.floatingIps.update(ip.id, { portId, fixedAddress, routerId })
  return settled
}
