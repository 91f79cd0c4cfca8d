import type { CloudAttachment, CloudVolume, MadeVolumes, MountRequest } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { Caller, ContainerId, ProjectId, UserId, VolumeId } from '@gantry/model'
import type { Making } from '../making.ts'
import type { KeptVolume, VolumeBackend } from './backend.ts'
import { encryptedFault } from './cinder-attachments.ts'
import { type ClaimDecision, decideClaim } from './decide-claim.ts'
import { type Bells, called, checkSize, marks, type Parts } from './parts.ts'
import { type Found, volumeBy } from './refs.ts'
import { attachmentRow, letGo } from './rows.ts'

export interface MakerParts extends Parts {
  readonly making: Making
  readonly bells: Bells
  /** Services that the cloud has. */
  readonly there: () => Promise<readonly VolumeBackend[]>
  /** Does at the service now what rows of these volumes say; resolves when that is done or has failed for now. */
  readonly settle: (ids: readonly VolumeId[]) => Promise<void>
}

type Asked = Exclude<MountRequest, { kind: 'file' }>
type New = Extract<MountRequest, { kind: 'new' }>

/** Finds or makes the volumes of a new container, and reserves them; nothing is left if one cannot be had. */
export async function makeVolumes(
  parts: MakerParts,
  caller: Caller,
  containerId: ContainerId,
  mounts: readonly MountRequest[],
): Promise<MadeVolumes> {
  const asked = mounts.filter((mount) => mount.kind !== 'file')
  if (asked.length === 0) return new Map()
  try {
    return await parts.making.during(containerId, () => makeAll(parts, caller, containerId, asked))
  } catch (error) {
    await dropVolumes(parts, containerId)
    throw error
  }
}

/** Takes back what was made, unless a container has it by now. */
export async function dropVolumes({ store, bells }: MakerParts, containerId: ContainerId): Promise<void> {
  await store.transaction(async (tables) => {
    if (!(await tables.containers.get(containerId))) await letGo(tables, bells, containerId)
  })
}

async function makeAll(
  parts: MakerParts,
  caller: Caller,
  containerId: ContainerId,
  asked: readonly Asked[],
): Promise<MadeVolumes> {
  const backends = await parts.there()
  const made = new Map<MountRequest, VolumeId>()
  const ofWord = new Map<string, Found<KeptVolume>>()
  // What is to be found is found before anything is made.
  const found = new Map<Asked, Found<KeptVolume>>()
  for (const mount of asked) {
    if (mount.kind === 'volume') found.set(mount, await usable(backends, caller, mount.source))
  }
  for (const mount of asked) {
    if (mount.kind === 'volume') continue
    const word = mount.share
    const volume =
      (word !== undefined && ofWord.get(word)) || (await makeOne(parts, backends, caller, containerId, mount))
    if (word !== undefined) ofWord.set(word, volume)
    found.set(mount, volume)
  }
  // Where one of a capsule writes, the others read what it has.
  const writersFirst = [...found].toSorted(([a], [b]) => Number(a.readOnly) - Number(b.readOnly))
  for (const [mount, volume] of writersFirst) {
    const { readOnly } = mount
    await claim(parts, caller, containerId, { ...volume, it: await ready(parts, caller, volume) }, readOnly)
    made.set(mount, volume.it.id as VolumeId)
  }
  return made
}

/** One of the caller's own project, though she may see others. */
async function usable(backends: readonly VolumeBackend[], caller: Caller, ref: string): Promise<Found<KeptVolume>> {
  const found = await volumeBy(backends, caller, ref)
  if (found.it.projectId !== caller.projectId) throw new Fault('volume.not-found', { type: 'volume', ref })
  if (found.it.encrypted) throw encryptedFault()
  return found
}

/** For a container, and marked with it, so that it is found and deleted if nobody lives to write its row. */
async function makeOne(
  parts: MakerParts,
  [backend]: readonly VolumeBackend[],
  caller: Caller,
  containerId: ContainerId,
  mount: New,
): Promise<Found<KeptVolume>> {
  if (!backend) throw noService()
  const { keep = false, share, shared = false, labels } = mount
  const size = checkSize(mount.size)
  const it = await backend.volumes.create(caller, {
    name: keep && share !== undefined ? share : `of-container-${containerId}`,
    size,
    metadata: {
      [marks.deployment]: parts.deployment,
      [marks.fsType]: usualFsType,
      ...(!keep && { [marks.container]: containerId }),
    },
  })
  const row = rowOf(parts, caller, { backend, it })
  await parts.store.cloudVolumes.insert({
    ...row,
    containerId,
    ephemeral: !keep,
    shared,
    labels: labels ?? null,
  })
  return { backend, it }
}

export function noService(): Fault {
  return new Fault('request.unsupported', {
    feature: 'A volume',
    reason: 'this cloud has no service that keeps volumes',
  })
}

export const usualFsType = 'ext4'

/** What is written down of a volume when it is first met. Made here without a source: nothing was ever in it. */
export function rowOf(
  { clock, deployment }: Pick<Parts, 'clock' | 'deployment'>,
  { userId }: Caller,
  { backend, it }: Found<KeptVolume>,
): CloudVolume {
  const fsType = it.metadata[marks.fsType]
  const isOurs = it.metadata[marks.deployment] === deployment
  return {
    id: it.id as VolumeId,
    backend: backend.name,
    projectId: it.projectId as ProjectId,
    userId: (it.userId || userId) as UserId,
    size: it.size,
    containerId: null,
    ephemeral: false,
    shared: false,
    multiattach: it.multiattach,
    blank: isOurs && fsType !== undefined && !it.hasSource,
    maybeBlank: !isOurs && !it.hasSource && !backend.manyWriters,
    fsType: fsType ?? usualFsType,
    labels: null,
    options: null,
    leaving: false,
    createdAt: clock.now(),
  }
}

/** Between looks at a volume that is being made, and how long it is waited for. Milliseconds. */
const lookMs = 250
const readyMs = 60_000

/** One that is being made is as good as there, if that does not take long. */
async function ready({ clock }: Parts, caller: Caller, { backend, it }: Found<KeptVolume>): Promise<KeptVolume> {
  let volume = it
  for (const until = clock.now() + readyMs; volume.status === 'creating' && clock.now() < until; ) {
    await new Promise((resolve) => setTimeout(resolve, lookMs))
    const seen = await backend.volumes.get(caller, it.id)
    if (!seen) throw new Fault('volume.not-found', { type: 'volume', ref: called(it) })
    volume = seen
  }
  if (volume.status === 'available' || volume.status === 'in-use') return volume
  const { status, statusReason } = volume
  const told = statusReason === null ? status : `${status} (${statusReason.replace(/\.$/, '')})`
  throw new Fault('volume.state', { type: 'volume', ref: called(volume), status: told, needed: 'available' })
}

async function claim(
  parts: MakerParts,
  caller: Caller,
  containerId: ContainerId,
  volume: Found<KeptVolume>,
  readOnly: boolean,
): Promise<void> {
  await withoutOld(parts, volume.it.id as VolumeId)
  const row = await write(parts, caller, containerId, volume, readOnly)
  if (!row) return
  const { attachments } = volume.backend
  let serviceId: string
  try {
    serviceId = await attachments.reserve(caller, {
      volumeId: row.volumeId,
      owner: row.owner,
      readOnly: !row.writable,
    })
  } catch (error) {
    if (isInUse(error) && (await isOthersTurn(parts, row))) return
    throw elsewhere(error, volume.it)
  }
  await parts.store.transaction(async (tables) => {
    const now = await tables.cloudAttachments.get(row.id)
    if (now) return tables.cloudAttachments.update(row.id, { serviceId })
    // It was given up, and Cinder asked in vain, before this was there.
    await tables.cloudAttachments.insert({ ...row, serviceId, leaving: true })
    parts.bells.wake()
  })
}

/** What the last container had is given back first: the volume is as good as free. */
async function withoutOld({ store, settle }: MakerParts, id: VolumeId): Promise<void> {
  const attachments = await store.cloudAttachments.ofVolume(id)
  if (attachments.some(({ leaving }) => leaving)) await settle([id])
}

/** The row of what is to be reserved; null: the container shares what is there. */
async function write(
  parts: MakerParts,
  caller: Caller,
  containerId: ContainerId,
  volume: Found<KeptVolume>,
  readOnly: boolean,
): Promise<CloudAttachment | null> {
  const { it, backend } = volume
  const id = it.id as VolumeId
  return parts.store.transaction(async (tables) => {
    await tables.cloudVolumes.insert(rowOf(parts, caller, volume))
    await tables.cloudVolumes.update(id, { size: it.size, multiattach: it.multiattach })
    const known = await tables.cloudVolumes.get(id)
    if (!known || known.leaving) throw new Fault('volume.not-found', { type: 'volume', ref: called(it) })
    const holders = await tables.cloudHolders.ofVolume(id)
    const mine = holders.find((holder) => holder.containerId === containerId)
    const decision = decideClaim({
      volume: known,
      attachments: (await tables.cloudAttachments.ofVolume(id)).filter(({ leaving }) => !leaving),
      others: holders.filter((holder) => holder !== mine),
      mine,
      readOnly,
      manyWriters: backend.manyWriters,
    })
    if (decision.kind === 'refuse') throw refused(it, decision)
    const row =
      decision.kind === 'new'
        ? attachmentRow(parts, { volumeId: id, owner: containerId, writable: decision.writable })
        : null
    if (row) await tables.cloudAttachments.insert(row)
    const attachmentId = row?.id ?? (decision.kind === 'join' ? decision.attachment.id : '')
    await tables.cloudHolders.put({
      containerId,
      volumeId: id,
      attachmentId,
      readOnly: readOnly && (mine?.readOnly ?? true),
      createdAt: parts.clock.now(),
    })
    return row
  })
}

function refused(volume: KeptVolume, { holder, why }: Extract<ClaimDecision, { kind: 'refuse' }>): Fault {
  const reason = holder === null ? why : `container ${holder} has it, and ${why}`
  return new Fault('volume.in-use', { type: 'volume', ref: called(volume), reason })
}

/** Other containers, who may have it too, are not done with attaching it: this one is reserved when they are. */
async function isOthersTurn({ store, bells }: MakerParts, { id, volumeId }: CloudAttachment): Promise<boolean> {
  return store.transaction(async (tables) => {
    const all = await tables.cloudAttachments.ofVolume(volumeId)
    if (all.every((other) => other.id === id || other.leaving)) return false
    await tables.cloudAttachments.update(id, { byService: true })
    bells.wake()
    return true
  })
}

function isInUse(error: unknown): error is Fault {
  return error instanceof Fault && error.code === 'volume.in-use'
}

/** Cinder only says that the status is wrong. */
function elsewhere(error: unknown, volume: KeptVolume): unknown {
  if (!isInUse(error)) return error
  const reason =
    volume.statusReason?.replace(/\.$/, '') ??
    'something else in the cloud has it attached or reserved (openstack volume show tells what)'
  return new Fault('volume.in-use', { type: 'volume', ref: called(volume), reason }, error)
}
