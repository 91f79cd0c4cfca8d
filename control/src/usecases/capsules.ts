import { Fault } from '@gantry/kernel'
import {
  type Caller,
  type Capsule,
  type CapsuleId,
  type CapsuleMembership,
  type Container,
  type ContainerId,
  type ContainerSpec,
  defaultSpec,
  sandboxImage,
} from '@gantry/model'
import type { CapsuleContainer, Capsules, CapsuleView, NewCapsule, RefOptions } from '../control.ts'
import type { Deps } from '../deps.ts'
import { containerEvent } from '../events/hub.ts'
import type { PortsRequest } from '../ports/networks.ts'
import type { Tables } from '../ports/store.ts'
import { enforceQuota } from '../quotas/enforce.ts'
import { capsuleStatusOf } from '../reconcile/capsule-turn.ts'
import { writeWish } from './change-wish.ts'
import { capsuleVolumes, volumesOfCapsule } from './capsule-volumes.ts'
import { checkLimits } from './check-limits.ts'
import { checkCounts, checkPolicy, checkSize } from './create-container.ts'
import { requireAdminFor } from './find-container.ts'
import { forgetContainer } from './forget-container.ts'
import { confirmImage, type ImageChoice, imageOfNew } from './image-of-new.ts'
import { insertContainer } from './insert-container.ts'
import { checkName, madeUpName } from './names.ts'
import { type Made, withMade } from './ahead.ts'

/** Containers that one capsule may hold, init containers included. */
const mostMembers = 20
const graceSeconds = 10

/** Containers that share one network, one host and one life. */
export function capsuleUseCases(deps: Deps): Capsules {
  return {
    create: (caller, input) => create(deps, caller, input),
    async list(caller, { allProjects, limit, marker }) {
      requireAdminFor(caller, allProjects, 'Listing all projects')
      const capsules = await deps.store.capsules.list(allProjects ? null : caller.projectId, { limit, marker })
      return Promise.all(capsules.map((capsule) => view(deps.store, capsule)))
    },
    get: async (caller, ref, options) => view(deps.store, await find(deps.store, caller, ref, options)),
    delete: (caller, ref, options) => remove(deps, caller, ref, options),
  }
}

async function create(deps: Deps, caller: Caller, input: NewCapsule): Promise<CapsuleView> {
  if (input.name !== null) checkName(input.name)
  const all = [...input.initContainers, ...input.containers]
  if (input.containers.length === 0) throw invalid('A capsule needs at least one container.')
  if (all.length > mostMembers) throw invalid(`A capsule holds at most ${mostMembers} containers.`)
  for (const { spec, mounts } of all) {
    checkPolicy(caller, { name: null, spec, run: true })
    checkLimits(spec)
    checkSize({ spec, mounts })
    checkCounts({ spec, mounts })
  }
  checkCounts({ nets: input.nets ?? [], groups: input.groups ?? [] })
  const images: ImagesOf = new Map()
  for (const { spec } of all) images.set(spec, await imageOfNew(deps, caller, spec))
  const id = deps.ids.uuid() as CapsuleId
  const request = portsOf(id, input)
  const mounts = volumesOfCapsule(all.flatMap((container) => container.mounts))
  const { capsule, containers } = await withMade(deps, caller, { ports: request, mounts }, (made) =>
    deps.store.transaction(async (tables) => insert(deps, tables, caller, id, input, images, { request, made })),
  )
  for (const container of containers) deps.hub.publish(containerEvent(container, container.createdAt))
  deps.ring({ kind: 'unplaced', id: sandboxOf(capsule), projectId: capsule.projectId })
  return shape(capsule, containers)
}

/** What each of its containers is to run. */
type ImagesOf = Map<ContainerSpec, ImageChoice>

interface Plugs {
  readonly request: PortsRequest
  readonly made: Made
}

function portsOf(id: CapsuleId, input: NewCapsule): PortsRequest {
  return {
    containerId: sandboxOf({ id }),
    nets: input.nets ?? [],
    groups: input.groups ?? null,
    exposedPorts: [...new Set(input.containers.flatMap(({ spec }) => spec.exposedPorts))],
  }
}

async function insert(
  deps: Deps,
  tables: Tables,
  caller: Caller,
  id: CapsuleId,
  input: NewCapsule,
  images: ImagesOf,
  plugs: Plugs,
) {
  const all = [...input.initContainers, ...input.containers]
  const sum = (of: 'cpu' | 'memory' | 'disk') => all.reduce((total, { spec }) => total + spec[of], 0)
  const asked = { containers: all.length, cpu: sum('cpu'), memory: sum('memory'), disk: sum('disk') }
  await enforceQuota(tables, caller.projectId, asked)
  const now = deps.clock.now()
  const capsule: Capsule = {
    id,
    projectId: caller.projectId,
    userId: caller.userId,
    name: input.name ?? madeUpName(deps.ids).replace(/container$/, 'capsule'),
    labels: input.labels,
    annotations: input.annotations,
    restartPolicy: input.restartPolicy,
    hostId: null,
    gone: false,
    createdAt: now,
    updatedAt: now,
  }
  await tables.capsules.insert(capsule)
  const containers = [await insertSandbox(deps, tables, caller, capsule, input, plugs)]
  const volumesFor = capsuleVolumes(deps, tables, caller, sandboxOf(capsule), plugs.made.volumes)
  const insertAll = async (members: readonly CapsuleContainer[], role: CapsuleMembership['role']) => {
    for (const [position, { spec, mounts }] of members.entries()) {
      const member = { spec, mounts: await volumesFor(mounts), capsule: { capsuleId: capsule.id, role, position } }
      const image = images.get(spec)
      if (!image) throw new Error('a container whose image nobody looked for')
      await confirmImage(tables, image, spec.image)
      containers.push(await insertMember(deps, tables, caller, capsule, { ...member, image }))
    }
  }
  await insertAll(input.initContainers, 'init')
  await insertAll(input.containers, 'member')
  return { capsule, containers }
}

async function insertSandbox(
  deps: Deps,
  tables: Tables,
  caller: Caller,
  capsule: Capsule,
  input: NewCapsule,
  { request, made }: Plugs,
) {
  const id = sandboxOf(capsule)
  const nics = await deps.networks.reserve(tables, caller, request, made.nics)
  const spec: ContainerSpec = {
    ...defaultSpec(sandboxImage),
    // It only waits; the capsule's containers bring what they need.
    cpu: 0.01,
    memory: 16,
    availabilityZone: input.availabilityZone,
    restartPolicy: { name: 'always', maxRetries: 0 },
  }
  const capsuleOf: CapsuleMembership = { capsuleId: capsule.id, role: 'sandbox', position: 0 }
  const image = { imageRef: sandboxImage, imageManifest: null, registryId: null, sealedRegistryAuth: null }
  const rest = { id, name: capsule.name, spec, run: true, nics, mounts: [], capsule: capsuleOf }
  return insertContainer(deps, tables, caller, { ...rest, ...image })
}

async function insertMember(
  deps: Deps,
  tables: Tables,
  caller: Caller,
  { name: capsuleName, restartPolicy }: Capsule,
  {
    spec,
    mounts,
    capsule,
    image,
  }: Pick<Container, 'spec' | 'mounts'> & { readonly capsule: CapsuleMembership; readonly image: ImageChoice },
): Promise<Container> {
  const name = `capsule-${capsuleName}-${madeUpName(deps.ids).replace(/-container$/, '')}`
  const policy = capsule.role === 'init' ? initPolicy(restartPolicy) : { name: restartPolicy, maxRetries: 0 }
  return insertContainer(deps, tables, caller, {
    id: deps.ids.uuid() as ContainerId,
    name,
    spec: { ...spec, restartPolicy: policy },
    run: true,
    nics: [],
    mounts,
    capsule,
    ...image,
  })
}

/** An init container runs until it succeeds, or once if nothing of the capsule is to be repeated. */
function initPolicy(policy: Capsule['restartPolicy']): ContainerSpec['restartPolicy'] {
  return policy === 'no' ? { name: 'no', maxRetries: 0 } : { name: 'on-failure', maxRetries: 10 }
}

/** Wishes all of it gone. What no host holds, or a lost one, is forgotten at once. */
async function remove(deps: Deps, caller: Caller, ref: string, options: RefOptions = {}): Promise<void> {
  const changed = await deps.store.transaction(async (tables) => {
    const capsule = await find(tables, caller, ref, options)
    if (capsule.gone) return []
    await tables.capsules.update(capsule.id, { gone: true, updatedAt: deps.clock.now() })
    const results: { container: Container; forgotten: boolean }[] = []
    for (const member of await tables.capsules.members(capsule.id)) {
      const container = await writeWish(deps, tables, caller, member, {
        action: 'delete',
        task: 'container_deleting',
        wish: { gone: { graceSeconds } },
      })
      const forgotten = container.hostId === null || container.hostLost
      if (forgotten) {
        await forgetContainer(deps, tables, container)
        await tables.actions.finishUpTo(container.id, container.wish.version, container.updatedAt, null)
      }
      results.push({ container, forgotten })
    }
    return results
  })
  for (const { container, forgotten } of changed) {
    deps.hub.publish(containerEvent(container, container.updatedAt, forgotten))
    if (!forgotten) deps.ring({ kind: 'wish', container })
  }
}

async function find(tables: Tables, caller: Caller, ref: string, options: RefOptions = {}): Promise<Capsule> {
  requireAdminFor(caller, options.allProjects === true, 'Looking into all projects')
  const own = await tables.capsules.find(caller.projectId, ref)
  const others = own.length > 0 || !caller.isAdmin ? [] : await tables.capsules.find(null, ref)
  const found = own.length > 0 ? own : others.filter(({ id }) => options.allProjects === true || id === ref)
  const [first, second] = found
  if (!first) throw new Fault('capsule.not-found', { ref })
  if (second) throw new Fault('capsule.ambiguous', { name: ref })
  return first
}

async function view(tables: Tables, capsule: Capsule): Promise<CapsuleView> {
  return shape(capsule, await tables.capsules.members(capsule.id))
}

function shape(capsule: Capsule, members: readonly Container[]): CapsuleView {
  const of = (role: CapsuleMembership['role']) => members.filter((member) => member.capsule?.role === role)
  const [sandbox] = of('sandbox')
  const { status, reason } = capsuleStatusOf(capsule, members)
  return {
    capsule,
    status,
    statusReason: reason,
    hostName: sandbox?.hostName ?? null,
    nics: sandbox?.nics ?? [],
    containers: of('member'),
    initContainers: of('init'),
  }
}

/** The sandbox has the capsule's id: whoever knows one knows the other. */
function sandboxOf(capsule: Pick<Capsule, 'id'>): ContainerId {
  return capsule.id as string as ContainerId
}

function invalid(problem: string): Fault {
  return new Fault('request.invalid', { problem })
}
