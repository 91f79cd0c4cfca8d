import type { Image } from '@gantry/model'
import { invalid } from './errors.ts'
import { nameOf } from './image-view.ts'
import { type Query, valueOf, valuesOf } from './list-query.ts'

type Fits = (image: Image) => boolean

/** What a query asks of images; throws a `Refusal`. Words that are no filter of Glance's ask for a property. */
export function filtersOf(query: Query): Fits {
  const wanted = Object.keys(query).flatMap((key): Fits[] => {
    if (notFilters.has(key)) return []
    if (key === 'tag')
      return valuesOf(query, key).map(
        (tag) =>
          ({ glance }) =>
            glance.tags.includes(tag),
      )
    const value = valueOf(query, key) ?? ''
    const make = Object.hasOwn(filters, key) ? filters[key] : undefined
    return [make ? make(value) : ({ glance }) => glance.properties[key] === value]
  })
  // Hidden ones are for who asks for them.
  if (valueOf(query, 'os_hidden') === undefined && valueOf(query, 'visibility') !== 'all') {
    wanted.push(({ glance }) => !glance.hidden)
  }
  return (image) => wanted.every((fits) => fits(image))
}

const notFilters = new Set(['limit', 'marker', 'sort', 'sort_key', 'sort_dir', 'member_status'])

const filters: Readonly<Record<string, (value: string) => Fits>> = {
  id: (value) => among(value, ({ id }) => id),
  name: (value) => among(value, (image) => nameOf(image) ?? ''),
  status: (value) => among(value, ({ status }) => status),
  container_format: (value) => among(value, ({ glance }) => glance.containerFormat ?? ''),
  disk_format: (value) => among(value, ({ glance }) => glance.diskFormat ?? ''),
  visibility(value) {
    if (value === 'all') return () => true
    if (!['public', 'private', 'shared', 'community'].includes(value)) {
      throw invalid('visibility must be public, private, shared, community or all.')
    }
    return ({ visibility }) => visibility === value
  },
  owner: (value) => (image) => image.projectId === value,
  checksum: (value) => (image) => image.glance.checksum === value,
  os_hash_value: (value) => (image) => image.glance.osHash === value,
  os_hash_algo: (value) => (image) => value === 'sha512' && image.glance.osHash !== null,
  protected: (value) => flagged('protected', value, ({ glance }) => glance.protected),
  os_hidden: (value) => flagged('os_hidden', value, ({ glance }) => glance.hidden),
  size_min: (value) => atLeast(numberOf('size_min', value), ({ bytes }) => bytes ?? 0),
  size_max(value) {
    const most = numberOf('size_max', value)
    return ({ bytes }) => (bytes ?? 0) <= most
  },
  min_disk: (value) => same(numberOf('min_disk', value), ({ glance }) => glance.minDisk),
  min_ram: (value) => same(numberOf('min_ram', value), ({ glance }) => glance.minRam),
  created_at: (value) => timed('created_at', value, ({ createdAt }) => createdAt),
  updated_at: (value) => timed('updated_at', value, ({ updatedAt }) => updatedAt),
}

/** `in:a,"b,c"` is any of these; one alone need not say so. */
function among(value: string, of: (image: Image) => string): Fits {
  if (!value.startsWith('in:')) return (image) => of(image) === value
  const words = [...value.slice(3).matchAll(/"([^"]*)"|([^,"]+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '')
  return (image) => words.includes(of(image))
}

function same(wanted: number, of: (image: Image) => number): Fits {
  return (image) => of(image) === wanted
}

function atLeast(least: number, of: (image: Image) => number): Fits {
  return (image) => of(image) >= least
}

function flagged(key: string, value: string, of: (image: Image) => boolean): Fits {
  const text = value.toLowerCase()
  if (text !== 'true' && text !== 'false') throw invalid(`${key} must be true or false.`)
  return (image) => of(image) === (text === 'true')
}

function numberOf(key: string, value: string): number {
  if (/^\d{1,15}$/.test(value)) return Number(value)
  throw invalid(`${key} must be a whole number that is not negative.`)
}

const comparisons: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  gt: (a, b) => a > b,
  gte: (a, b) => a >= b,
  lt: (a, b) => a < b,
  lte: (a, b) => a <= b,
  eq: (a, b) => a === b,
  neq: (a, b) => a !== b,
}

/** `gt:2026-01-02T03:04:05Z`, to the second, as images show it. */
function timed(key: string, value: string, of: (image: Image) => number): Fits {
  const [, operator = 'eq', text = ''] = /^(?:(gt|gte|lt|lte|eq|neq):)?(.*)$/s.exec(value) ?? []
  const compare = comparisons[operator]
  const isTime = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$/.test(text)
  const at = Date.parse(/Z$|[+-]\d\d:?\d\d$|^\d{4}-\d\d-\d\d$/.test(text) ? text : `${text}Z`)
  if (!compare || !isTime || Number.isNaN(at)) throw invalid(`${key} must be a time, as in gt:2026-01-02T03:04:05Z.`)
  const seconds = (time: number) => Math.floor(time / 1000)
  return (image) => compare(seconds(of(image)), seconds(at))
}
