import type { Control } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { Caller, Volume } from '@gantry/model'
import { Refusal } from './errors.ts'
import { type AskedVolume, backendOf, driverOf, newVolumeOf } from './volume-options.ts'

/** As Docker marks a volume that nobody named. */
export const anonymousLabel = 'com.docker.volume.anonymous'

const validName = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/

/** An anonymous one is known by its id, without dashes. */
export function nameOfVolume({ id, name, ephemeral }: Volume): string {
  return ephemeral || name === '' ? id.replaceAll('-', '') : name
}

/** A path that says what it is, and that nobody can mount. */
export function placeOf(name: string): string {
  return `/gantry/volumes/${name}/_data`
}

/** The project's volumes but those that are going. */
export async function knownVolumes({ storage }: Control, caller: Caller): Promise<Volume[]> {
  return (await storage.volumes.list(caller)).filter(({ status }) => status !== 'deleting')
}

/** Names of volumes made elsewhere may repeat; then the one that Docker clients made is meant. */
export function volumeNamed(all: readonly Volume[], name: string): Volume | undefined {
  const named = all.filter((volume) => nameOfVolume(volume) === name || volume.id === name)
  return named.find(({ shared }) => shared === true) ?? named[0]
}

/** Throws `volume.not-found`. */
export async function findVolume(control: Control, caller: Caller, name: string): Promise<Volume> {
  const found = volumeNamed(await knownVolumes(control, caller), name)
  if (!found) throw new Fault('volume.not-found', { type: 'volume', ref: name })
  return found
}

/**
 * The volume of that name, made if there is none, or the one that `volume_id` names. Refuses names that Docker refuses, and one
 * that another service keeps than was asked for.
 */
export async function ensureVolume(control: Control, caller: Caller, asked: AskedVolume): Promise<Volume> {
  const { name, options } = asked
  const all = await knownVolumes(control, caller)
  const known = options['volume_id'] ? adopted(all, options['volume_id'], name) : volumeNamed(all, name)
  if (known) return fitting(known, asked)
  if (!validName.test(name)) {
    throw new Refusal(
      400,
      `create ${name}: "${name}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
    )
  }
  return createVolume(control, caller, asked)
}

/** All volumes of the project are known by their names, so there is nothing to take over: it only must be the one that is meant. */
function adopted(all: readonly Volume[], id: string, name: string): Volume {
  const volume = all.find((one) => one.id === id)
  if (!volume) throw new Fault('volume.not-found', { type: 'volume', ref: id })
  const own = nameOfVolume(volume)
  if (own === name) return volume
  throw new Refusal(400, `create ${name}: volume ${id} is called ${own}, and is had by that name only`)
}

function fitting(volume: Volume, asked: AskedVolume): Volume {
  const wanted = backendOf(asked)
  const { backend = 'local' } = volume
  if (wanted === undefined || wanted === backend) return volume
  const where = backend === 'local' ? 'on a host of this cloud' : `by ${backend}`
  throw new Refusal(
    409,
    `create ${asked.name}: conflict: a volume of that name exists already and is kept ${where}, not by ${wanted}`,
  )
}

/** Throws `quota.exceeded` and the like. */
export async function createVolume(control: Control, caller: Caller, asked: AskedVolume): Promise<Volume> {
  const made = await control.storage.volumes.create(caller, newVolumeOf(asked))
  noteVolume(control, caller, made, 'create')
  return made
}

/** For `docker events`. */
export function noteVolume({ activity }: Control, { projectId }: Caller, volume: Volume, action: string): void {
  const attributes = { driver: driverOf(volume) }
  activity.note({ type: 'volume', action, id: nameOfVolume(volume), projectId, attributes })
}
