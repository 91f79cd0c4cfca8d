import {
  allOf,
  type Attachment,
  type Context,
  isOpenStackError,
  type Volume,
  type VolumeService,
} from '@gantry/openstack'
import type { Clock } from '@gantry/kernel'
import { setTimeout as sleep } from 'node:timers/promises'
import { PluginRefusal } from '../network/plugin-server.ts'
import type { FuxiBackend, RemoteEntry } from './backend.ts'
import { cinderAccess } from './cinder-access.ts'
import { cinderMake, optionNames } from './cinder-make.ts'
import { claimantOf, marks, placeOf, shownAttachments } from './cinder-marks.ts'
import { unlessGone } from './told.ts'

/** What new volumes are like where the user does not say. */
export interface CinderDefaults {
  readonly fsType: string
  /** GiB. */
  readonly size: number
  readonly volumeType?: string
  readonly availabilityZone?: string
  /** A volume type for `multiattach=true`; else one is looked for. */
  readonly multiattachType?: string
}

export interface CinderParts {
  readonly cinder: VolumeService
  /** Id of the session's project; nothing outside is looked at. */
  readonly project: (context: Context) => Promise<string>
  /** This host, as the storage is told of it. */
  readonly host: string
  /** By which its attachments are known (`claimText`). */
  readonly claim: string
  /** The value of `volume_from`. */
  readonly from: string
  readonly defaults: CinderDefaults
  /** What this machine can reach a volume by. */
  readonly connector: () => Promise<Readonly<Record<string, unknown>>>
  readonly clock: Clock
}

const pollMs = 300

/** Volumes of Cinder's. */
export function cinderBackend(parts: CinderParts): FuxiBackend {
  const { cinder, from, claim } = parts
  const access = cinderAccess(parts)

  const ours = async (filters: Readonly<Record<string, string>>, context: Context): Promise<Volume[]> => {
    const project = await parts.project(context)
    const all = await allOf(cinder.volumes.list(filters, context))
    return all.filter(
      (volume) => isOurs(volume, from) && (volume['os-vol-tenant-attr:tenant_id'] ?? project) === project,
    )
  }
  const find = async (name: string, context: Context): Promise<Volume | null> => {
    const found = (await ours({ name }, context)).filter((volume) => volume.name === name)
    return found.length < 2 ? (found[0] ?? null) : theOne(parts, name, found, context)
  }
  const entryOf = (volume: Volume) => toEntry(volume, claim)
  const make = cinderMake({ ...parts, find, wait: (id, context) => whenReady(cinder, id, context) })

  return {
    name: 'cinder',
    optionNames,
    list: async (context) => (await ours({}, context)).map(entryOf),
    find: async (name, context) => {
      const volume = await find(name, context)
      return volume && entryOf(volume)
    },
    make: async (name, wish, context) => entryOf(await make(name, wish, context)),
    connect: (entry, ours, context) => access.connect(entry.id, ours, context),
    complete: (volumeId, accessId, context) => access.complete(volumeId, accessId, context),
    disconnect: (volumeId, accessId, context) => access.disconnect(volumeId, accessId, context),
    remove: (entry, context) => remove(parts, entry, context),
  }
}

function isOurs({ metadata, status }: Volume, from: string): boolean {
  return metadata?.[marks.from] === from && status !== 'deleting'
}

function toEntry(volume: Volume, claim: string): RemoteEntry {
  const { id, name, size, status, metadata, created_at, volume_type, availability_zone, multiattach } = volume
  const attachments = shownAttachments(volume)
  return {
    id,
    name: name ?? '',
    size,
    status,
    fsType: metadata?.[marks.fsType] ?? null,
    places: attachments.map((each) => placeOf(volume, each)),
    isHere: attachments.some((each) => claimantOf(volume, each.id) === claim),
    createdAt: created_at ?? null,
    details: {
      ...(volume_type && { volume_type }),
      ...(availability_zone && { availability_zone }),
      multiattach: String(multiattach === true),
    },
  }
}

/**
 * Of several that have a name: two hosts made it at the same time. The first that was made is it, unless another was used already;
 * what is still as it was made and nobody has goes.
 */
async function theOne(
  { cinder }: CinderParts,
  name: string,
  found: readonly Volume[],
  context: Context,
): Promise<Volume> {
  const inOrder = found.toSorted((a, b) => keyOf(a).localeCompare(keyOf(b)))
  const used = inOrder.filter(({ metadata, status }) => metadata?.[marks.blank] === undefined || isTaken(status))
  const [winner = inOrder[0], another] = used
  if (another !== undefined || winner === undefined) {
    const ids = found.map(({ id }) => id).join(', ')
    throw new PluginRefusal(409, `${found.length} volumes of Cinder's are named ${name}: ${ids}. Rename all but one.`)
  }
  for (const { id } of inOrder) if (id !== winner.id) await deleteUnused(cinder, id, context)
  return winner
}

function keyOf({ created_at, id }: Volume): string {
  return `${created_at ?? ''} ${id}`
}

function isTaken(status: string): boolean {
  return !['creating', 'available', 'error'].includes(status)
}

/** Cinder itself refuses where somebody has got hold of it. */
async function deleteUnused(cinder: VolumeService, id: string, context: Context): Promise<void> {
  try {
    await cinder.volumes.remove(id, context)
  } catch (error) {
    // Still being made; who looks next deletes it.
    if (!isOpenStackError(error, 400)) throw error
  }
}

/** Resolves when it may be attached, or is. What is in error is told. */
async function whenReady(cinder: VolumeService, id: string, context: Context): Promise<Volume> {
  for (;;) {
    const volume = await cinder.volumes.show(id, context)
    const { status, name } = volume
    if (status.startsWith('error')) {
      throw new PluginRefusal(500, `Cinder could not make the volume ${name ?? id}: its status is ${status}.`)
    }
    if (!['creating', 'downloading'].includes(status)) return volume
    await sleep(pollMs, undefined, { signal: context.signal })
  }
}

async function remove({ cinder, claim }: CinderParts, { id, name }: RemoteEntry, context: Context): Promise<void> {
  const volume = await unlessGone(cinder.volumes.show(id, context))
  if (volume === null) return
  const attachments: Attachment[] = await allOf(cinder.attachments.list({ volume_id: id }, context))
  const [other] = attachments.filter((each) => claimantOf(volume, each.id) !== claim)
  if (other) throw new PluginRefusal(409, `The volume ${name} is in use: ${placeOf(volume, other)} has it.`)
  // Of this host, where nothing uses it any more.
  for (const each of attachments) await cinder.attachments.remove(each.id, context)
  await cinder.volumes.remove(id, context)
  for (;;) {
    const left = await unlessGone(cinder.volumes.show(id, context))
    if (left === null) return
    if (left.status.startsWith('error')) {
      throw new PluginRefusal(500, `Cinder could not delete the volume ${name}: its status is ${left.status}.`)
    }
    await sleep(pollMs, undefined, { signal: context.signal })
  }
}
