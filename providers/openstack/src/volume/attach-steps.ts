import type { CloudAttachment, CloudVolume } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { VolumeId } from '@gantry/model'
import type { Claim, Connector, VolumeBackend } from './backend.ts'
import type { Bells, Parts } from './parts.ts'

export interface StepParts extends Parts {
  readonly bells: Bells
}

const claimOf = ({ volumeId, owner, writable }: CloudAttachment): Claim => ({ volumeId, owner, readOnly: !writable })

/**
 * Brings one volume at its service to where its rows say it should be. May be called again after a crash at any point; never twice
 * at once for one volume. Rejects with what could not be done for now.
 */
export async function settleVolume(parts: StepParts, id: VolumeId): Promise<void> {
  const volume = await parts.store.cloudVolumes.get(id)
  const backend = parts.backends.find(({ name }) => name === volume?.backend)
  if (!volume || !backend) return
  const problems: unknown[] = []
  const attempt = async (work: () => Promise<unknown>) => {
    await work().catch((error: unknown) => problems.push(error))
  }
  const rows = await parts.store.cloudAttachments.ofVolume(id)
  // The next host's first: then nobody gets the volume between it and the last one's.
  for (const row of rows) if (isToReserve(row, rows)) await reserve(parts, backend, row).catch(() => undefined)
  for (const row of rows) if (row.leaving) await attempt(() => giveBack(parts, backend, row))
  const left = await parts.store.cloudAttachments.ofVolume(id)
  for (const row of left) {
    if (isToReserve(row, left)) await attempt(() => reserve(parts, backend, row))
  }
  const all = await parts.store.cloudAttachments.ofVolume(id)
  for (const row of all) {
    if (isToConnect(row) && !isLeaving(all, row.hostId)) await attempt(() => connect(parts, backend, row))
    if (row.mounted && !row.completed && !row.leaving) await attempt(() => complete(parts, backend, row))
  }
  if (volume.leaving) await attempt(() => remove(parts, backend, volume))
  if (problems.length > 0) throw problems[0]
}

/** Cinder lets nobody reserve a volume while another, who may have it too, is not done with attaching it. */
function isToReserve(row: CloudAttachment, all: readonly CloudAttachment[]): boolean {
  if (!row.byService || row.serviceId !== null || row.leaving) return false
  return !all.some(({ leaving, serviceId, completed, owner }) => {
    return !leaving && serviceId !== null && !completed && owner !== row.owner
  })
}

/** What lets a host at a share is the same for both: what ends one would end the other. */
function isLeaving(all: readonly CloudAttachment[], hostId: CloudAttachment['hostId']): boolean {
  return all.some((row) => row.leaving && row.hostId === hostId)
}

function isToConnect({ hostId, serviceId, sealedConnection, leaving }: CloudAttachment): boolean {
  return hostId !== null && serviceId !== null && sealedConnection === null && !leaving
}

async function reserve(parts: StepParts, backend: VolumeBackend, row: CloudAttachment): Promise<void> {
  const { store, bells } = parts
  // It may have been reserved by who did not live to write it down.
  const [there] = await unknownOf(parts, backend, row)
  const serviceId = there ?? (await backend.attachments.reserve(null, claimOf(row)))
  await store.transaction(async (tables) => {
    await tables.cloudAttachments.update(row.id, { serviceId })
    if ((await tables.cloudAttachments.get(row.id))?.leaving) bells.wake()
  })
}

async function giveBack(parts: StepParts, backend: VolumeBackend, row: CloudAttachment): Promise<void> {
  const { store } = parts
  const claim = claimOf(row)
  const connector = await connectorOf(parts, row)
  const ids = row.serviceId === null ? await unknownOf(parts, backend, row) : [row.serviceId]
  for (const id of ids) await backend.attachments.release(id, claim, connector)
  await store.cloudAttachments.remove(row.id)
}

/** What was reserved for it and not written down. */
async function unknownOf({ store }: StepParts, backend: VolumeBackend, row: CloudAttachment): Promise<string[]> {
  const found = await backend.attachments.find(claimOf(row))
  const known = new Set((await store.cloudAttachments.ofVolume(row.volumeId)).map(({ serviceId }) => serviceId))
  return found.filter((id) => !known.has(id))
}

async function connect(parts: StepParts, backend: VolumeBackend, row: CloudAttachment): Promise<void> {
  const { store, secrets, bells } = parts
  const { id, hostId, serviceId, volumeId } = row
  if (hostId === null || serviceId === null) return
  const connector = await connectorOf(parts, row)
  if (!connector) {
    const problem = 'Its host does not say how it reaches volumes of other services.'
    throw new Fault('machine.unfit', { problem, remedy: 'gantry host show tells what it lacks.' })
  }
  const connected = await backend.attachments
    .connect(serviceId, claimOf(row), connector)
    .catch(async (error: unknown) => {
      if (!(error instanceof Fault) || error.code !== 'volume.not-found') throw error
      await noteLost(parts, row)
      return null
    })
  if (!connected) return
  const sealedConnection = secrets.seal(JSON.stringify(connected.connection))
  await store.cloudAttachments.update(id, { serviceId: connected.id, sealedConnection, problem: null })
  bells.changed(hostId, volumeId)
}

async function complete(parts: StepParts, backend: VolumeBackend, row: CloudAttachment): Promise<void> {
  if (row.serviceId === null) return
  try {
    await backend.attachments.complete(row.serviceId)
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'volume.not-found') throw error
    return noteLost(parts, row)
  }
  await parts.store.cloudAttachments.update(row.id, { completed: true })
  // Another may have waited for this one.
  parts.bells.wake()
}

/** Somebody deleted it at the service. Its containers still need it. */
export async function noteLost(
  { store, bells, log }: StepParts,
  { id, volumeId, serviceId }: CloudAttachment,
): Promise<void> {
  log.warn({ volume: volumeId, attachment: serviceId }, 'the attachment of a volume is gone; another is made')
  const lost = { serviceId: null, byService: true, sealedConnection: null, completed: false }
  await store.cloudAttachments.update(id, lost)
  bells.wake()
}

/** Between looks at what is being deleted, and how long it is looked at. Milliseconds. */
const lookMs = 300
const goneMs = 15_000

async function remove({ store, clock }: StepParts, backend: VolumeBackend, { id }: CloudVolume): Promise<void> {
  if ((await store.cloudAttachments.ofVolume(id)).length > 0) return
  let there = await backend.own.get(id)
  if (there && there.status !== 'deleting') await backend.own.remove(id)
  for (const until = clock.now() + goneMs; there && clock.now() < until; ) {
    await new Promise((resolve) => setTimeout(resolve, lookMs))
    there = await backend.own.get(id)
  }
  if (there) throw new Fault('service.conflict', { service: backend.name, reason: `it is still deleting ${id}` })
  await store.cloudVolumes.remove(id)
}

async function connectorOf({ store }: StepParts, { hostId }: CloudAttachment): Promise<Connector | null> {
  const host = hostId === null ? undefined : await store.hosts.get(hostId)
  return host?.facts.connector ?? null
}

/** What the attachments that wait for their host's connection are told. */
export async function noteProblem({ store, bells }: StepParts, id: VolumeId, problem: string): Promise<void> {
  for (const row of await store.cloudAttachments.ofVolume(id)) {
    if (row.leaving || row.hostId === null || row.sealedConnection !== null || row.problem === problem) continue
    await store.cloudAttachments.update(row.id, { problem })
    bells.changed(row.hostId, id)
  }
}
