import { parseImageName, type Caller, type Container } from '@gantry/model'
import type { DockerContext } from './context.ts'
import { Refusal } from './errors.ts'
import { type Filters, matchesAny, matchesLabels, matchesName } from './filters.ts'
import { dockerId } from './ids.ts'
import { networkNames } from './known-networks.ts'
import { nameOfVolume } from './known-volumes.ts'
import { stateOf } from './translate-state.ts'

/** Keys of `GET /containers/json`. */
export const containerFilterKeys = [
  'ancestor',
  'before',
  'expose',
  'exited',
  'health',
  'id',
  'isolation',
  'is-task',
  'label',
  'name',
  'network',
  'publish',
  'since',
  'status',
  'volume',
] as const

const states = ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead']

/** Those that pass all filters; names of networks and volumes are looked up only when they are asked for. */
export async function selected(
  docker: DockerContext,
  caller: Caller,
  candidates: readonly Container[],
  filters: Filters,
  everything: readonly Container[],
): Promise<Container[]> {
  for (const status of filters.get('status') ?? []) {
    if (!states.includes(status)) throw new Refusal(400, `Invalid filter 'status=${status}'`)
  }
  const networks = await networksNamed(docker, caller, filters)
  const volumes = await volumesNamed(docker, caller, filters)
  const bound = (key: string) => boundOf(filters, key, everything)
  const [before, since] = [bound('before'), bound('since')]
  return candidates.filter(
    (each) =>
      matchesLabels(filters, each.spec.labels) &&
      matchesAny(filters, 'id', (value) => dockerId(each.id).startsWith(value)) &&
      matchesAny(filters, 'name', (value) => matchesName(value, `/${each.name}`, each.name)) &&
      matchesAny(filters, 'status', (value) => stateOf(each) === value) &&
      matchesAny(
        filters,
        'exited',
        (value) => stateOf(each) === 'exited' && String(each.observed.engine?.exitCode ?? 0) === value,
      ) &&
      matchesAny(filters, 'health', (value) => (each.observed.engine?.health ?? 'none') === value) &&
      matchesAny(filters, 'ancestor', (value) => isOfImage(each, value)) &&
      matchesAny(filters, 'network', () => each.nics.some(({ networkId }) => networks.has(networkId))) &&
      matchesAny(filters, 'volume', (value) =>
        each.mounts.some(
          (mount) => mount.destination === value || (mount.kind === 'volume' && volumes.has(mount.volumeId)),
        ),
      ) &&
      matchesAny(filters, 'expose', (value) => each.spec.exposedPorts.includes(withProtocol(value))) &&
      matchesAny(filters, 'publish', (value) =>
        (each.spec.options?.publish ?? []).some(
          (port) => `${port.publicPort ?? port.containerPort}/${port.protocol}` === withProtocol(value),
        ),
      ) &&
      matchesAny(filters, 'is-task', (value) => value === 'false') &&
      (before === null || each.createdAt < before) &&
      (since === null || each.createdAt > since),
  )
}

function withProtocol(port: string): string {
  return port.includes('/') ? port : `${port}/tcp`
}

function isOfImage({ spec, observed }: Container, asked: string): boolean {
  const id = observed.engine?.imageDigest ?? ''
  const digits = asked.replace(/^sha256:/, '')
  if (/^[0-9a-f]{4,64}$/.test(digits) && id.replace('sha256:', '').startsWith(digits)) return true
  const [mine, theirs] = [parseImageName(spec.image), parseImageName(asked)]
  return mine.repo === theirs.repo && mine.tag === theirs.tag
}

function boundOf(filters: Filters, key: string, everything: readonly Container[]): number | null {
  const ref = filters.get(key)?.[0]
  if (ref === undefined) return null
  const found = everything.find((each) => each.name === ref.replace(/^\//, '') || dockerId(each.id).startsWith(ref))
  if (!found) throw new Refusal(404, `No such container: ${ref}`)
  return found.createdAt
}

async function networksNamed({ control }: DockerContext, caller: Caller, filters: Filters): Promise<Set<string>> {
  const asked = filters.get('network')
  if (!asked) return new Set()
  const all = await networkNames(control, caller)
  const fits = (id: string, name: string) => asked.some((ref) => ref === name || dockerId(id).startsWith(ref))
  return new Set([...all].filter(([id, name]) => fits(id, name)).map(([id]) => id))
}

async function volumesNamed({ control }: DockerContext, caller: Caller, filters: Filters): Promise<Set<string>> {
  const asked = filters.get('volume')
  if (!asked) return new Set()
  const all = await control.storage.volumes.list(caller)
  return new Set(all.filter((volume) => asked.includes(nameOfVolume(volume))).map(({ id }) => id))
}
