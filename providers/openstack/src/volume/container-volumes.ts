import { posix } from 'node:path'
import type { CloudAttachment, ContainerVolumes, MadeVolumes, MountRequest, Tables } from '@gantry/control'
import { assertNever, Fault } from '@gantry/kernel'
import type { ContainerId, HostId, Mount, VolumeId } from '@gantry/model'
import { type Bells, invalid, type Parts } from './parts.ts'
import { attachmentRow, leave, letGo, liveOn, volumesIn } from './rows.ts'

/** Only writes down what is to be done; the worker does it once the transaction has ended. */
export function containerVolumes(parts: Parts, bells: Bells): ContainerVolumes {
  return {
    async reserve(tables, _caller, containerId, mounts, made = new Map()) {
      checkDestinations(mounts)
      const held = new Set((await heldBy(tables, containerId)).map(({ volumeId }) => volumeId))
      for (const { id, ephemeral } of await tables.cloudVolumes.madeFor(containerId)) {
        if (!ephemeral) await tables.cloudVolumes.update(id, { containerId: null })
      }
      return mounts.map((mount) => mountOf(mount, volumeOf(mount, made, held)))
    },
    hostOf: (tables, mounts) => hostOf(parts, tables, mounts),
    async place(tables, containerId, hostId) {
      for (const attachment of await heldBy(tables, containerId)) {
        await place(parts, tables, containerId, hostId, attachment)
        bells.changed(hostId, attachment.volumeId)
      }
      bells.wake()
    },
    async mayLeave(tables, containerId) {
      for (const { id, volumeId, hostId } of await heldBy(tables, containerId)) {
        const others = (await tables.cloudHolders.ofAttachment(id)).filter((one) => one.containerId !== containerId)
        const [other] = others
        if (!other || hostId === null || (await canBeOnMany(parts, tables, volumeId))) continue
        const reason = `container ${other.containerId} has it on the same host, and it can be on one host only`
        throw new Fault('volume.in-use', { type: 'volume', ref: volumeId, reason })
      }
    },
    async displace(tables, containerId) {
      for (const attachment of await heldBy(tables, containerId))
        await displace(parts, bells, tables, containerId, attachment)
    },
    async release(tables, containerId) {
      await letGo(tables, bells, containerId)
    },
  }
}

/** What the container has and is not given back. */
async function heldBy(tables: Tables, containerId: ContainerId): Promise<CloudAttachment[]> {
  const held: CloudAttachment[] = []
  for (const { attachmentId } of await tables.cloudHolders.ofContainer(containerId)) {
    const attachment = await tables.cloudAttachments.get(attachmentId)
    if (attachment && !attachment.leaving) held.push(attachment)
  }
  return held
}

/** Throws `volume.not-found` for what was given up since it was made: its request took too long. */
function volumeOf(mount: MountRequest, made: MadeVolumes, held: ReadonlySet<VolumeId>): VolumeId | null {
  if (mount.kind === 'file') return null
  const ref = mount.kind === 'volume' ? mount.source : mount.destination
  const id = made.get(mount) ?? (ref as VolumeId)
  if (!held.has(id)) throw new Fault('volume.not-found', { type: 'volume', ref })
  return id
}

function mountOf(mount: MountRequest, volumeId: VolumeId | null): Mount {
  const { destination } = mount
  switch (mount.kind) {
    case 'file':
      return { kind: 'file', destination, content: mount.content }
    case 'volume':
    case 'new': {
      if (volumeId === null) throw new Error('volumes are found before the transaction')
      const { readOnly, fill } = mount
      return { kind: 'volume', volumeId, destination, readOnly, ...(fill === true && { fill }) }
    }
    default:
      return assertNever(mount, 'mount')
  }
}

async function hostOf(parts: Parts, tables: Tables, mounts: readonly Mount[]): Promise<HostId | null> {
  let found: CloudAttachment | null = null
  for (const attachment of await tables.cloudAttachments.ofVolumes(volumesIn(mounts))) {
    const { hostId, leaving, volumeId, writable } = attachment
    if (leaving || hostId === null) continue
    if (!writable || isForMany(parts, (await tables.cloudVolumes.get(volumeId))?.backend)) continue
    if (found && found.hostId !== hostId) {
      throw invalid(
        `Volumes ${found.volumeId} and ${volumeId} are on different hosts; a container can have those of one.`,
      )
    }
    found ??= attachment
  }
  return found?.hostId ?? null
}

async function place(
  { clock }: Parts,
  tables: Tables,
  containerId: ContainerId,
  hostId: HostId,
  attachment: CloudAttachment,
): Promise<void> {
  const { id, volumeId } = attachment
  if (attachment.hostId !== null) return
  const there = liveOn(await tables.cloudAttachments.ofVolume(volumeId), hostId)
  if (!there) return tables.cloudAttachments.update(id, { hostId })
  // One mount serves all containers of a host.
  const mine = (await tables.cloudHolders.ofContainer(containerId)).find((holder) => holder.volumeId === volumeId)
  const readOnly = mine?.readOnly ?? false
  await tables.cloudHolders.put({ containerId, volumeId, attachmentId: there.id, readOnly, createdAt: clock.now() })
  if ((await tables.cloudHolders.ofAttachment(id)).length === 0)
    await tables.cloudAttachments.update(id, { leaving: true })
}

/**
 * The next attachment is reserved before the last one is given back, under the same owner: nobody gets the volume in between.
 * With others on the old host, it stays there for them.
 */
async function displace(
  parts: Parts,
  bells: Bells,
  tables: Tables,
  containerId: ContainerId,
  old: CloudAttachment,
): Promise<void> {
  if (old.hostId === null) return
  const { volumeId, owner, writable } = old
  const all = await tables.cloudHolders.ofAttachment(old.id)
  const mine = all.find((holder) => holder.containerId === containerId)
  const isShared = all.length > 1
  const next = attachmentRow(parts, {
    volumeId,
    owner: isShared ? containerId : owner,
    writable,
    byService: true,
  })
  await tables.cloudAttachments.insert(next)
  const readOnly = mine?.readOnly ?? false
  await tables.cloudHolders.put({
    containerId,
    volumeId,
    attachmentId: next.id,
    readOnly,
    createdAt: parts.clock.now(),
  })
  if (isShared) bells.wake()
  else await leave(tables, bells, old)
}

async function canBeOnMany(parts: Parts, tables: Tables, volumeId: VolumeId): Promise<boolean> {
  const volume = await tables.cloudVolumes.get(volumeId)
  const attachments = await tables.cloudAttachments.ofVolume(volumeId)
  return isForMany(parts, volume?.backend) || attachments.every(({ writable, leaving }) => leaving || !writable)
}

function isForMany({ backends }: Parts, name: string | undefined): boolean {
  return backends.find((backend) => backend.name === name)?.manyWriters === true
}

function checkDestinations(mounts: readonly MountRequest[]): void {
  const taken = new Set<string>()
  for (const { destination } of mounts) {
    const path = posix.normalize(destination).replace(/(?<=.)\/$/, '')
    if (taken.has(path)) throw invalid(`Two mounts are at ${path}.`)
    taken.add(path)
  }
}
