import { mountedVolumes } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { Caller, Volume } from '@gantry/model'
import type { FastifyInstance } from 'fastify'
import { canonicalBody } from '../canonical-body.ts'
import type { DockerContext } from '../context.ts'
import { Refusal } from '../errors.ts'
import { type Filters, filtersOf, isTrue, matchesAny, matchesLabels, matchesName } from '../filters.ts'
import { dockerId } from '../ids.ts'
import {
  anonymousLabel,
  createVolume,
  ensureVolume,
  findVolume,
  knownVolumes,
  nameOfVolume,
  noteVolume,
} from '../known-volumes.ts'
import { checkVolume, VolumeBody } from '../schemas-network.ts'
import { statusView, volumeView } from '../translate-volumes.ts'
import { driverOf } from '../volume-options.ts'

interface Asked {
  readonly Params: { readonly name: string }
  readonly Querystring: Readonly<Record<string, string | undefined>>
}

/** From this minor version on a prune takes anonymous volumes only, unless told otherwise. */
const onlyAnonymous = 42

/** Volumes of the project; those that are made here may be in several containers at once. */
export function volumeRoutes(app: FastifyInstance, docker: DockerContext): void {
  const { control } = docker
  app.get<Asked>('/volumes', async (request) => {
    const caller = docker.callerOf(request)
    const filters = filtersOf(request.query['filters'], ['dangling', 'driver', 'label', 'name'])
    const held = filters.has('dangling') ? await holders(docker, caller) : new Map<string, string[]>()
    const volumes = (await knownVolumes(control, caller)).filter(
      (volume) =>
        matchesAny(filters, 'name', (value) => matchesName(value, nameOfVolume(volume))) &&
        matchesAny(filters, 'driver', (value) => value === driverOf(volume) || value === volume.backend) &&
        matchesAny(
          filters,
          'dangling',
          (value) => isTrue(value) === !(held.has(volume.id) || volume.status === 'in-use'),
        ) &&
        matchesLabels(filters, volume.labels ?? {}),
    )
    return { Volumes: volumes.map(volumeView), Warnings: null }
  })
  app.post('/volumes/create', async (request, reply) => {
    const caller = docker.callerOf(request)
    return reply.code(201).send(volumeView(await create(docker, caller, request.body)))
  })
  app.get<Asked>('/volumes/:name', async (request) => {
    const caller = docker.callerOf(request)
    const volume = await findVolume(control, caller, request.params.name)
    return { ...volumeView(volume), Status: await statusView(docker, caller, volume) }
  })
  app.delete<Asked>('/volumes/:name', async (request, reply) => {
    const caller = docker.callerOf(request)
    const { name } = request.params
    const force = isTrue(request.query['force'])
    const volume = await findVolume(control, caller, name).catch((error: unknown) => {
      if (force && error instanceof Fault && error.code === 'volume.not-found') return null
      throw error
    })
    if (volume) await remove(docker, caller, volume)
    return reply.code(204).send()
  })
  app.post<Asked>('/volumes/prune', async (request) => {
    const caller = docker.callerOf(request)
    const filters = filtersOf(request.query['filters'], ['all', 'label', 'label!'])
    const all = docker.versionOf(request) < onlyAnonymous || (filters.get('all') ?? []).some(isTrue)
    return prune(docker, caller, filters, all)
  })
}

async function create({ control }: DockerContext, caller: Caller, body: unknown): Promise<Volume> {
  const asked = canonicalBody(body, [...Object.keys(VolumeBody.properties), 'ClusterVolumeSpec'])
  control.policy.judge(caller, { kind: 'volume', body: asked })
  if (!checkVolume.Check(asked)) throw new Fault('request.invalid', { problem: 'The body does not describe a volume.' })
  const { Name = '', Driver = '', DriverOpts, Labels } = asked
  const labels = Object.fromEntries(Object.entries(Labels ?? {}).map(([name, value]) => [name, value ?? '']))
  const wanted = { name: Name ?? '', driver: Driver ?? '', options: DriverOpts ?? {} }
  if (wanted.name !== '') return ensureVolume(control, caller, { ...wanted, labels })
  return createVolume(control, caller, { ...wanted, labels: { ...labels, [anonymousLabel]: '' } })
}

/** Docker's ids of the containers that have each volume, by the volume's id; members of capsules too. */
async function holders({ control }: DockerContext, caller: Caller): Promise<Map<string, string[]>> {
  const mounted = await mountedVolumes(control, caller)
  return new Map(
    [...mounted].map(([id, mounts]) => [id, [...new Set(mounts.map((one) => dockerId(one.container.id)))]]),
  )
}

async function remove(docker: DockerContext, caller: Caller, volume: Volume): Promise<void> {
  try {
    await docker.control.storage.volumes.delete(caller, volume.id)
    noteVolume(docker.control, caller, volume, 'destroy')
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'volume.in-use') throw error
    const mine = (await holders(docker, caller)).get(volume.id)
    const why = mine ? `volume is in use - [${mine.join(', ')}]` : `volume is in use: ${error.details['reason']}`
    throw new Refusal(409, `remove ${nameOfVolume(volume)}: ${why}`)
  }
}

/** Only what Docker clients made: a volume of another API may wait for what it is meant for. */
async function prune(docker: DockerContext, caller: Caller, filters: Filters, all: boolean): Promise<object> {
  const VolumesDeleted: string[] = []
  let SpaceReclaimed = 0
  for (const volume of await knownVolumes(docker.control, caller)) {
    const { labels = {}, shared, size } = volume
    const isMeant = shared === true && (all || Object.hasOwn(labels, anonymousLabel))
    if (!isMeant || volume.status === 'in-use' || !matchesLabels(filters, labels)) continue
    const isGone = await docker.control.storage.volumes.delete(caller, volume.id).then(() => true, unlessInUse)
    if (!isGone) continue
    noteVolume(docker.control, caller, volume, 'destroy')
    VolumesDeleted.push(nameOfVolume(volume))
    SpaceReclaimed += size * 2 ** 30
  }
  return { VolumesDeleted, SpaceReclaimed }
}

function unlessInUse(error: unknown): false {
  if (error instanceof Fault && ['volume.in-use', 'volume.not-found'].includes(error.code)) return false
  throw error
}
