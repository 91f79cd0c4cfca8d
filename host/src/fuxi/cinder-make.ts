import {
  allOf,
  type Context,
  isOpenStackError,
  type Volume,
  type VolumeCreate,
  type VolumeType,
} from '@gantry/openstack'
import { PluginRefusal } from '../network/plugin-server.ts'
import type { Wish } from './backend.ts'
import type { CinderParts } from './cinder.ts'
import { claimantOf, marks, placeOf, shownAttachments } from './cinder-marks.ts'
import { booleanOf } from './options.ts'

export interface CinderMakeParts extends CinderParts {
  readonly find: (name: string, context: Context) => Promise<Volume | null>
  /** Resolves when it is made; refuses if it cannot be. */
  readonly wait: (id: string, context: Context) => Promise<Volume>
}

const passedOn = [
  'volume_type',
  'availability_zone',
  'description',
  'snapshot_id',
  'source_volid',
  'consistencygroup_id',
] as const
const gone: Readonly<Record<string, string>> = {
  source_replica: 'Cinder has no volumes by replica any more',
  user_id: "a volume is always the plugin user's",
  project_id: "a volume is always in the plugin user's project",
}
export const optionNames = ['fstype', 'multiattach', 'read_only', 'scheduler_hints', ...passedOn, ...Object.keys(gone)]

/** File systems that a new volume may have. */
const fsTypes = ['ext2', 'ext3', 'ext4', 'xfs', 'btrfs']

/** Makes volumes, or takes those that are there. */
export function cinderMake(parts: CinderMakeParts) {
  return async (name: string, wish: Wish, context: Context): Promise<Volume> => {
    const wanted = wantedBy(wish)
    const there = await parts.find(name, context)
    if (there) {
      refuseOther(there, wish, wanted)
      return parts.wait(there.id, context)
    }
    return wish.adopt === null
      ? makeNew(parts, name, wish, wanted, context)
      : adopt(parts, name, wish.adopt, wish, wanted, context)
  }
}

interface Wanted {
  /** null: the user did not say. */
  readonly fsType: string | null
  readonly multiattach: boolean | null
  readonly readOnly: boolean
  readonly hints: Readonly<Record<string, unknown>> | null
}

/** Pure. */
function wantedBy({ words }: Wish): Wanted {
  for (const [option, why] of Object.entries(gone)) {
    if (words[option] !== undefined) throw new PluginRefusal(400, `The option ${option} cannot be given: ${why}.`)
  }
  const { fstype, multiattach, scheduler_hints, read_only } = words
  if (fstype !== undefined && !fsTypes.includes(fstype)) {
    throw new PluginRefusal(400, `The option fstype is one of ${fsTypes.join(', ')}, not "${fstype}".`)
  }
  return {
    fsType: fstype ?? null,
    multiattach: multiattach === undefined ? null : booleanOf('multiattach', multiattach),
    readOnly: read_only !== undefined && booleanOf('read_only', read_only),
    hints: scheduler_hints === undefined ? null : hintsOf(scheduler_hints),
  }
}

/** A JSON object, or `key=value,key=value`. */
function hintsOf(text: string): Readonly<Record<string, unknown>> {
  const wrong = new PluginRefusal(400, `The option scheduler_hints is a JSON object or KEY=VALUE,…, not "${text}".`)
  if (!text.trim().startsWith('{')) {
    return Object.fromEntries(
      text.split(',').map((pair) => {
        const at = pair.indexOf('=')
        if (at < 1) throw wrong
        return [pair.slice(0, at).trim(), pair.slice(at + 1).trim()]
      }),
    )
  }
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    throw wrong
  }
}

/** Refuses a volume that is there under the name, if the wish is for another. */
function refuseOther(volume: Volume, { size, adopt: id, words }: Wish, { fsType, multiattach }: Wanted): void {
  const differs = (what: string, has: string | number) =>
    new PluginRefusal(409, `There is a volume ${volume.name} already, but ${what} is ${has}.`)
  if (id !== null && id !== volume.id) throw differs('its id', volume.id)
  if (size !== null && size !== volume.size) throw differs('its size in GiB', volume.size)
  const recorded = volume.metadata?.[marks.fsType]
  if (fsType !== null && recorded !== undefined && recorded !== fsType) throw differs('its file system', recorded)
  if (multiattach !== null && multiattach !== (volume.multiattach === true)) {
    throw differs('multiattach', String(volume.multiattach === true))
  }
  const { volume_type: type } = words
  if (type !== undefined && volume.volume_type && volume.volume_type !== type)
    throw differs('its type', volume.volume_type)
}

async function makeNew(
  parts: CinderMakeParts,
  name: string,
  wish: Wish,
  wanted: Wanted,
  context: Context,
): Promise<Volume> {
  const { cinder } = parts
  const type = await typeFor(parts, wish, wanted, context)
  const { multiattach, hints } = wanted
  const body = bodyOf(parts, name, wish, wanted, type)
  const made =
    hints === null ? await cinder.volumes.create(body, context) : await cinder.createNear(body, hints, context)
  try {
    await parts.wait(made.id, context)
  } catch (error) {
    if (error instanceof PluginRefusal || context.signal.aborted) await removeFailed(parts, made.id)
    throw error
  }
  // Another host may have made one at the same time.
  const volume = (await parts.find(name, context)) ?? made
  if (multiattach === true && volume.multiattach !== true) {
    await removeFailed(parts, made.id)
    throw new PluginRefusal(
      400,
      `Volumes of the type ${type} cannot be attached several times; choose another (--opt volume_type=).`,
    )
  }
  return parts.wait(volume.id, context)
}

/** Pure. */
function bodyOf(
  { defaults, from }: CinderMakeParts,
  name: string,
  { size: asked, words }: Wish,
  { fsType, readOnly }: Wanted,
  type: string | undefined,
): VolumeCreate {
  const hasSource = words['snapshot_id'] !== undefined || words['source_volid'] !== undefined
  if (readOnly && !hasSource) {
    throw new PluginRefusal(400, 'The option read_only is for a volume that has data, not for a new and empty one.')
  }
  const zone = words['availability_zone'] ?? defaults.availabilityZone
  const size = asked ?? (hasSource ? null : defaults.size)
  return {
    ...Object.fromEntries(passedOn.flatMap((key) => (words[key] === undefined ? [] : [[key, words[key]]]))),
    name,
    ...(size !== null && { size }),
    ...(type !== undefined && { volume_type: type }),
    ...(zone !== undefined && { availability_zone: zone }),
    metadata: {
      [marks.from]: from,
      // What it begins with has its own.
      ...(fsType !== null || !hasSource ? { [marks.fsType]: fsType ?? defaults.fsType } : {}),
      ...(!hasSource && { [marks.blank]: 'true' }),
      ...(readOnly && { [marks.readOnly]: 'true' }),
    },
  }
}

/** Not what the call was for any more, so in a time of its own. */
async function removeFailed({ cinder }: CinderMakeParts, id: string): Promise<void> {
  // What cannot be deleted is still there for the user to see and delete.
  await cinder.volumes.remove(id, { signal: AbortSignal.timeout(10_000) }).catch(() => undefined)
}

/** Cinder makes a volume for several hosts only by its type. */
async function typeFor(
  { cinder, defaults }: CinderMakeParts,
  { words }: Wish,
  { multiattach }: Wanted,
  context: Context,
): Promise<string | undefined> {
  const asked = words['volume_type']
  if (multiattach !== true) return asked ?? defaults.volumeType
  return multiattachType(await allOf(cinder.types.list({}, context)), asked ?? defaults.multiattachType)
}

/** The name of a type for several hosts: the wanted one if it is, else the first. Pure; refuses with what to do. */
export function multiattachType(types: readonly VolumeType[], wanted: string | undefined): string {
  if (wanted !== undefined) {
    const type = types.find(({ id, name }) => id === wanted || name === wanted)
    if (!type) throw new PluginRefusal(404, `There is no volume type ${wanted}.`)
    // Some clouds do not show what a type is like; what came of it is looked at then.
    if (type.extra_specs !== undefined && !isMultiattach(type)) {
      throw new PluginRefusal(400, notMultiattach(wanted, types))
    }
    return type.name
  }
  const [first] = types
    .filter(isMultiattach)
    .map(({ name }) => name)
    .toSorted()
  if (first !== undefined) return first
  throw new PluginRefusal(
    400,
    'Cinder makes volumes that several hosts may attach only by a volume type for them, and has none: an administrator can make ' +
      'one (openstack volume type create --property multiattach="<is> True" NAME).',
  )
}

function notMultiattach(wanted: string, types: readonly VolumeType[]): string {
  const fitting = types.filter(isMultiattach).map(({ name }) => name)
  const help = fitting.length > 0 ? `${fitting.join(', ')} would do` : 'no type is'
  return `The volume type ${wanted} is not for multiattach=true (it lacks the property multiattach="<is> True"); ${help}.`
}

function isMultiattach({ extra_specs }: VolumeType): boolean {
  return /^<is>\s*true$/i.test(extra_specs?.['multiattach']?.trim() ?? '')
}

async function adopt(
  parts: CinderMakeParts,
  name: string,
  id: string,
  wish: Wish,
  wanted: Wanted,
  context: Context,
): Promise<Volume> {
  const { cinder, from, claim } = parts
  const makes = Object.keys(wish.words).find((word) => !['fstype', 'multiattach', 'read_only'].includes(word))
  if (makes !== undefined)
    throw new PluginRefusal(400, `The option ${makes} is for a new volume, not for one with volume_id.`)
  const volume = await shownOrRefused(parts, id, context)
  const refuse = (why: string) => new PluginRefusal(409, `The volume ${id} cannot become ${name}: ${why}.`)
  if (volume.name !== name)
    throw refuse(`its name is ${volume.name ? `"${volume.name}"` : 'empty'}, and must be the same`)
  if (volume.encrypted === true) throw refuse('it is encrypted')
  const owner = volume.metadata?.[marks.from]
  if (owner !== undefined && owner !== from) throw refuse(`it belongs to "${owner}" (volume_from)`)
  const others = shownAttachments(volume).filter((each) => claimantOf(volume, each.id) !== claim)
  const [other] = others
  const isOpen =
    volume.status === 'available' || (volume.status === 'in-use' && (volume.multiattach === true || !other))
  if (!isOpen) throw refuse(other ? `${placeOf(volume, other)} has it` : `its status is ${volume.status}`)
  refuseOther(volume, { ...wish, adopt: null }, wanted)
  const fsType = wanted.fsType ?? volume.metadata?.[marks.fsType]
  const words = {
    [marks.from]: from,
    ...(fsType !== undefined && { [marks.fsType]: fsType }),
    ...(wanted.readOnly && { [marks.readOnly]: 'true' }),
  }
  await cinder.setMetadata(id, words, context)
  return cinder.volumes.show(id, context)
}

async function shownOrRefused({ cinder, project }: CinderMakeParts, id: string, context: Context): Promise<Volume> {
  const missing = new PluginRefusal(404, `There is no volume ${id} in the project of this plugin.`)
  const own = await project(context)
  const volume = await cinder.volumes.show(id, context).catch((error: unknown) => {
    throw isOpenStackError(error, 404) ? missing : error
  })
  // An administrator is shown those of others too.
  if ((volume['os-vol-tenant-attr:tenant_id'] ?? own) !== own) throw missing
  return volume
}
