import type { Context } from '@gantry/openstack'
import { PluginRefusal, PluginSilence } from '../network/plugin-server.ts'
import type { FuxiBackend, RemoteEntry } from './backend.ts'
import type { EntryCache } from './entry-cache.ts'
import { checkedName, type CreateVolume, type OfMount } from './messages.ts'
import { askedFor } from './options.ts'
import type { Found, Stays } from './stays.ts'
import { reasonToldOf } from './told.ts'

export interface VerbsParts {
  /** Those that come first are asked first, and the first is the usual one. */
  readonly backends: readonly FuxiBackend[]
  readonly caches: ReadonlyMap<FuxiBackend, EntryCache>
  readonly stays: Stays
  readonly context: () => Context
}

/** What Docker asks of a volume driver. */
export interface Verbs {
  create(body: CreateVolume): Promise<object>
  get(name: string): Promise<object>
  list(): Promise<object>
  path(name: string): object
  mount(body: OfMount): Promise<object>
  unmount(body: OfMount): Promise<object>
  remove(name: string): Promise<object>
}

export function verbs({ backends, caches, stays, context }: VerbsParts): Verbs {
  const remember = (backend: FuxiBackend, name: string, entry: RemoteEntry | null) =>
    caches.get(backend)?.set(name, entry)

  /** Asks the services themselves. */
  const find = async (name: string, within: Context): Promise<Found | null> => {
    for (const backend of backends) {
      const entry = await backend.find(name, within)
      if (entry) return { backend, entry }
    }
    return null
  }
  const found = async (name: string, within: Context): Promise<Found> => {
    const one = await find(name, within)
    if (one) return one
    throw new PluginRefusal(404, `There is no volume ${name} in ${backends.map((each) => each.name).join(' or ')}.`)
  }
  const recall = async (name: string): Promise<Found | null> => {
    for (const backend of backends) {
      const entry = await caches.get(backend)?.get(name, stays.pointOf(name) !== null)
      if (entry) return { backend, entry }
    }
    return null
  }
  const pointOf = (name: string) => stays.pointOf(name) ?? ''
  /** Its status has changed by what was done here; whoever waits needs not wait for that. */
  const refresh = ({ backend, entry: { name } }: Found) => {
    backend.find(name, context()).then(
      (entry) => remember(backend, name, entry),
      () => undefined,
    )
  }

  return {
    async create({ Name, Opts }) {
      const name = checkedName(Name)
      const { backend, wish } = askedFor(Opts ?? {}, backends)
      const within = context()
      for (const other of backends) {
        if (other === backend || (await other.find(name, within)) === null) continue
        throw new PluginRefusal(409, `A volume ${name} already exists in another volume provider, ${other.name}.`)
      }
      remember(backend, name, await backend.make(name, wish, within))
      return {}
    },
    async get(name) {
      const known = await recall(name).catch((error: unknown) => {
        // Whoever uses it here must be able to go on.
        if (stays.pointOf(name) !== null) return null
        // An engine would make an empty volume of its own instead.
        throw new PluginSilence(reasonToldOf(error), { cause: error })
      })
      if (!known && stays.pointOf(name) !== null) return { Volume: { Name: name, Mountpoint: pointOf(name) } }
      if (!known) throw new PluginRefusal(404, `There is no volume ${name}.`)
      const { entry, backend } = known
      const Volume = {
        Name: name,
        Mountpoint: pointOf(name),
        ...(entry.createdAt !== null && { CreatedAt: zoned(entry.createdAt) }),
        Status: statusOf(entry, backend.name),
      }
      return { Volume }
    },
    async list() {
      const names = new Set<string>()
      for (const backend of backends) {
        for (const { name } of (await caches.get(backend)?.all()) ?? []) names.add(name)
      }
      return { Volumes: [...names].toSorted().map((Name) => ({ Name, Mountpoint: pointOf(Name) })) }
    },
    path: (name) => ({ Mountpoint: pointOf(name) }),
    async mount({ Name, ID }) {
      const name = checkedName(Name)
      const within = context()
      const came: Found[] = []
      const look = async () => {
        const one = await found(name, within)
        came.push(one)
        return one
      }
      const Mountpoint = await stays.enter(name, ID, look, within)
      came.forEach(refresh)
      return { Mountpoint }
    },
    async unmount({ Name, ID }) {
      const within = context()
      await stays.leave(Name, ID, within)
      if (stays.pointOf(Name) === null) {
        const known = await recall(Name).catch(() => null)
        if (known) refresh(known)
      }
      return {}
    },
    async remove(name) {
      const within = context()
      const work = async () => {
        const one = await find(name, within)
        if (one) await one.backend.remove(one.entry, within)
        for (const backend of backends) remember(backend, name, null)
      }
      await stays.whileUnused(name, work, within)
      return {}
    },
  }
}

/** For `docker volume inspect`. */
function statusOf({ id, size, status, fsType, places, details }: RemoteEntry, provider: string): object {
  return {
    provider,
    id,
    size_gb: String(size),
    status,
    ...(fsType !== null && { fstype: fsType }),
    attached_to: places.join(', '),
    ...details,
  }
}

/** OpenStack writes times of UTC without saying so. */
function zoned(time: string): string {
  return /(?:Z|[+-]\d\d:?\d\d)$/.test(time) ? time : `${time}Z`
}
