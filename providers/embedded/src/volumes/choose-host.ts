import type { Tables } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { HostId } from '@gantry/model'

/** What is known of a host when a volume wants a place. */
export interface VolumeHost {
  readonly id: HostId
  readonly zone: string
  /** It is connected. */
  readonly up: boolean
  /** GiB of its disk that containers were not promised; what volumes and snapshots have of it is subtracted here. */
  readonly freeGib: number
  /** Why it cannot hold volumes, as a sentence; null: it can. */
  readonly problem: string | null
}

export type VolumeHosts = () => Promise<readonly VolumeHost[]>

/** The host with the most room for `size` GiB, in a zone if that is told. Throws `placement.no-host` with what the others lack; hosts are not for tenants to know. */
export async function chooseHost(
  tables: Tables,
  hosts: readonly VolumeHost[],
  { size, zone }: { readonly size: number; readonly zone: string | undefined },
): Promise<HostId> {
  const candidates: { id: HostId; room: number }[] = []
  const refused = new Map<string, number>()
  for (const host of hosts) {
    const room = host.freeGib - (await promisedOn(tables, host.id))
    const elsewhere = zone !== undefined && host.zone !== zone
    const reason = elsewhere ? `not in zone ${zone}` : reasonAgainst(host, room, size)
    if (reason === null) candidates.push({ id: host.id, room })
    else refused.set(reason, (refused.get(reason) ?? 0) + 1)
  }
  const [best] = candidates.sort((a, b) => b.room - a.room)
  if (!best) throw new Fault('placement.no-host', { reasons: toldOf(refused, hosts.length) })
  return best.id
}

/** The host where data is that a new volume or snapshot is made from. Throws `placement.no-host` unless it can do so now. */
export async function requireHost(
  tables: Tables,
  hosts: readonly VolumeHost[],
  id: HostId,
  size: number,
): Promise<void> {
  const host = hosts.find((host) => host.id === id)
  if (!host)
    throw new Fault('placement.no-host', { reasons: 'the one that has the data is no longer part of this cloud' })
  const reason = reasonAgainst(host, host.freeGib - (await promisedOn(tables, id)), size)
  if (reason !== null) throw new Fault('placement.no-host', { reasons: `the one that has the data is ${reason}` })
}

function reasonAgainst({ up, problem }: VolumeHost, room: number, size: number): string | null {
  if (!up) return 'not connected'
  if (problem !== null) return 'unable to hold volumes (gantry host show tells why)'
  return room < size ? `without ${size} GiB of room` : null
}

async function promisedOn(tables: Tables, id: HostId): Promise<number> {
  const pieces = [...(await tables.volumes.ofHost(id)), ...(await tables.snapshots.ofHost(id))]
  return pieces.reduce((sum, { size }) => sum + size, 0)
}

function toldOf(refused: ReadonlyMap<string, number>, total: number): string {
  if (total === 0) return 'there is none'
  return [...refused].map(([why, count]) => `${count} of ${total} ${count === 1 ? 'is' : 'are'} ${why}`).join(', ')
}
