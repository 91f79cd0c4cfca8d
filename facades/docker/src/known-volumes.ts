import type { Control } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { Caller, Volume } from '@gantry/model'
import { Refusal } from './errors.ts'

/** GiB of a volume whose size nobody named: Docker knows no sizes. */
export const defaultGib = 10

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

export interface AskedVolume {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly options: Readonly<Record<string, string>>
}

/** The volume of that name, made if there is none. Refuses names that Docker refuses. */
export async function ensureVolume(control: Control, caller: Caller, asked: AskedVolume): Promise<Volume> {
  const { name } = asked
  const known = volumeNamed(await knownVolumes(control, caller), name)
  if (known) return known
  if (!validName.test(name)) {
    throw new Refusal(
      400,
      `create ${name}: "${name}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
    )
  }
  return createVolume(control, caller, asked)
}

/** Throws `quota.exceeded` and the like. */
export async function createVolume(control: Control, caller: Caller, asked: AskedVolume): Promise<Volume> {
  const size = sizeOf(asked.options)
  const made = await control.storage.volumes.create(caller, { ...asked, size, shared: true })
  noteVolume(control, caller, made, 'create')
  return made
}

/** For `docker events`. */
export function noteVolume({ activity }: Control, { projectId }: Caller, volume: Volume, action: string): void {
  activity.note({ type: 'volume', action, id: nameOfVolume(volume), projectId, attributes: { driver: 'local' } })
}

const unitsInGib: Readonly<Record<string, number>> = { '': 1, k: 2 ** -20, m: 2 ** -10, g: 1, t: 2 ** 10 }

/** GiB, rounded up, of `size=10`, `10G`, `10GB` or `512M`. */
export function sizeOf({ size }: Readonly<Record<string, string>>): number {
  if (size === undefined) return defaultGib
  const [, digits = '', unit = ''] = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?$/i.exec(size.trim()) ?? []
  const gib = Math.ceil(Number(digits) * (unitsInGib[unit.toLowerCase()] ?? Number.NaN))
  if (digits === '' || !(gib >= 1))
    throw new Refusal(400, `invalid option: "size" must be like 10 (GiB), 10G or 512M, not ${size}`)
  return gib
}
