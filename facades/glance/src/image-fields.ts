import type { GlanceFields, ImageVisibility } from '@gantry/model'
import { imageVisibilities } from '@gantry/model'
import { invalid, Refusal } from './errors.ts'

export const containerFormats = ['ami', 'ari', 'aki', 'bare', 'ovf', 'ova', 'docker', 'compressed']
export const diskFormats = ['ami', 'ari', 'aki', 'vhd', 'vhdx', 'vmdk', 'raw', 'qcow2', 'vdi', 'iso', 'ploop']

/** Glance's own defaults for both. */
const mostProperties = 128
const mostTags = 128
const longestName = 255
/** As Glance's column for them. */
const longestProperty = 65_535
const largestNumber = 2 ** 31 - 1

/** What clients are told and cannot say. */
const readOnly = new Set(
  (
    'status checksum size virtual_size os_hash_algo os_hash_value direct_url file self schema created_at updated_at ' +
    'locations stores location deleted deleted_at is_public'
  ).split(' '),
)

/** What a client says of an image; absent: nothing. */
export interface SaidFields {
  readonly id?: string
  readonly name?: string | null
  readonly visibility?: ImageVisibility
  readonly owner?: string
  readonly glance: Partial<GlanceFields>
}

/** One field after the other into a whole; throws a `Refusal` for what cannot be said. */
export function saidFields(given: Readonly<Record<string, unknown>>): SaidFields {
  let said: SaidFields = { glance: {} }
  const properties: [string, string][] = []
  for (const [key, value] of Object.entries(given)) {
    if (isProperty(key)) properties.push([key, propertyOf(key, value)])
    else {
      const one = fieldOf(key, value)
      said = { ...said, ...one, glance: { ...said.glance, ...one.glance } }
    }
  }
  return properties.length === 0 ? said : { ...said, glance: { ...said.glance, properties: propertiesOf(properties) } }
}

/** Throws a `Refusal` for too many. */
export function propertiesOf(properties: Iterable<readonly [string, string]>): Readonly<Record<string, string>> {
  const all = new Map(properties)
  if (all.size > mostProperties) throw new Refusal(413, `An image has at most ${mostProperties} properties.`)
  return Object.fromEntries(all)
}

/** Whether it is a property of the client's own. Throws a `Refusal` for what only the service says. */
export function isProperty(key: string): boolean {
  if (readOnly.has(key)) throw new Refusal(403, `Attribute '${key}' is read-only.`)
  return !Object.hasOwn(readers, key)
}

export function propertyOf(key: string, value: unknown): string {
  if (key === '' || key.length > longestName || key === '__proto__') {
    throw invalid(`A property's name has 1 to ${longestName} characters.`)
  }
  return stringOf(key, value, longestProperty)
}

/** A field of Glance's own. */
export function fieldOf(key: string, value: unknown): SaidFields {
  const read = Object.hasOwn(readers, key) ? readers[key] : undefined
  if (!read) throw invalid(`There is no attribute ${key}.`)
  return read(value)
}

const readers: Readonly<Record<string, (value: unknown) => SaidFields>> = {
  id: (value) => ({ id: uuidOf(value), glance: {} }),
  name: (value) => ({ name: value === null ? null : stringOf('name', value, longestName), glance: {} }),
  visibility: (value) => ({ visibility: visibilityOf(value), glance: {} }),
  owner: (value) => ({ owner: stringOf('owner', value, longestName), glance: {} }),
  container_format: (value) => ({ glance: { containerFormat: formatOf('container_format', value, containerFormats) } }),
  disk_format: (value) => ({ glance: { diskFormat: formatOf('disk_format', value, diskFormats) } }),
  min_disk: (value) => ({ glance: { minDisk: numberOf('min_disk', value) } }),
  min_ram: (value) => ({ glance: { minRam: numberOf('min_ram', value) } }),
  protected: (value) => ({ glance: { protected: flagOf('protected', value) } }),
  os_hidden: (value) => ({ glance: { hidden: flagOf('os_hidden', value) } }),
  tags: (value) => ({ glance: { tags: tagsOf(value) } }),
}

function visibilityOf(value: unknown): ImageVisibility {
  const known = imageVisibilities.find((each) => each === value)
  if (known) return known
  throw invalid(`visibility must be one of ${imageVisibilities.join(', ')}.`)
}

function formatOf(key: string, value: unknown, known: readonly string[]): string | null {
  if (value === null) return null
  if (typeof value === 'string' && known.includes(value)) return value
  throw invalid(`${key} must be one of ${known.join(', ')}.`)
}

function numberOf(key: string, value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= largestNumber) return value
  throw invalid(`${key} must be a whole number from 0 to ${largestNumber}.`)
}

function flagOf(key: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value
  throw invalid(`${key} must be true or false.`)
}

function tagsOf(value: unknown): string[] {
  if (!Array.isArray(value)) throw invalid('tags must be a list.')
  const tags = [...new Set(value.map(tagOf))]
  if (tags.length > mostTags) throw new Refusal(413, `An image has at most ${mostTags} tags.`)
  return tags
}

export function tagOf(value: unknown): string {
  return stringOf('A tag', value, longestName)
}

function stringOf(key: string, value: unknown, longest: number): string {
  if (typeof value === 'string' && value.length <= longest && !value.includes('\0')) return value
  throw invalid(`${key} must be a string of at most ${longest} characters.`)
}

function uuidOf(value: unknown): string {
  if (typeof value === 'string' && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value)) return value
  throw invalid('id must be a UUID, in small letters.')
}
