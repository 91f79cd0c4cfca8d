import { createHash } from 'node:crypto'
import type { FixedIp, NetworkId, Port, PortId, PortOwner, ProjectId, SecurityGroupId } from '@gantry/model'
import { enforceLimit } from './limits.ts'
import { conflict, invalid, nobody, type Work } from './parts.ts'

export interface PortSketch {
  readonly projectId: ProjectId
  readonly networkId: NetworkId
  readonly name: string
  readonly fixedIps: readonly FixedIp[]
  readonly groups: readonly SecurityGroupId[]
  readonly filtered: boolean
  readonly deviceId: string | null
  readonly deviceOwner: PortOwner
  readonly preserve: boolean
  /** undefined: one is made up. */
  readonly mac?: string
}

/** Writes a new port and claims its addresses. */
export async function insertPort(work: Work, sketch: PortSketch): Promise<Port> {
  const { tables, ids, clock } = work
  if (sketch.projectId !== nobody) await enforceLimit(work, sketch.projectId, 'ports')
  const mac = sketch.mac === undefined ? await newMac(work, sketch) : await checkMac(work, sketch.mac)
  const port: Port = { ...sketch, id: ids.uuid() as PortId, mac, hostId: null, createdAt: clock.now() }
  await tables.ports.insert(port)
  return port
}

/** A port of a router or a floating IP: nothing is filtered there, and it is not the user's to change. */
export function servicePort(
  work: Work,
  sketch: Pick<PortSketch, 'projectId' | 'networkId' | 'fixedIps' | 'deviceId' | 'deviceOwner'>,
): Promise<Port> {
  return insertPort(work, { ...sketch, name: '', groups: [], filtered: false, preserve: false })
}

/** Neutron's own prefix for made-up addresses. */
const macPrefix = 'fa:16:3e'
const macAttempts = 64

/**
 * Made of the address, so that who gets an address after another is reached at once: neighbours remember for half a minute
 * and more which MAC address it had.
 */
async function newMac({ tables, ids }: Work, { fixedIps: [first] }: PortSketch): Promise<string> {
  const usual = first && createHash('sha256').update(`${first.subnetId} ${first.address}`).digest('hex').slice(0, 6)
  for (let attempt = 0; attempt < macAttempts; attempt += 1) {
    const digits = attempt === 0 && usual !== undefined ? usual : ids.hex(3)
    const mac = [macPrefix, ...(digits.match(/../g) ?? [])].join(':')
    if (!(await tables.ports.macTaken(mac))) return mac
  }
  throw conflict(`No free MAC address was found under ${macPrefix}; delete ports that nobody uses.`)
}

async function checkMac({ tables }: Work, text: string): Promise<string> {
  const mac = text.toLowerCase()
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(mac)) throw invalid(`${text} is not a MAC address like fa:16:3e:01:02:03.`)
  // The lowest bit of the first byte marks an address of a group of stations.
  if (Number.parseInt(mac.slice(0, 2), 16) % 2 === 1 || mac === '00:00:00:00:00:00') {
    throw invalid(`${text} is not the MAC address of a single interface.`)
  }
  if (await tables.ports.macTaken(mac)) throw conflict(`MAC address ${mac} is in use.`)
  return mac
}
