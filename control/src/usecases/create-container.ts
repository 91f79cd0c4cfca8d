import { Fault } from '@gantry/kernel'
import {
  type Caller,
  type Container,
  type ContainerId,
  type ContainerSpec,
  type Nic,
  nothingObserved,
} from '@gantry/model'
import type { NewContainer } from '../control.ts'
import type { Deps } from '../deps.ts'
import type { PortsRequest } from '../ports/networks.ts'
import type { Lock, Tables } from '../ports/store.ts'
import { containerEvent } from '../events/hub.ts'
import { judgeOptions } from '../policy/judge-options.ts'
import { enforceQuota } from '../quotas/enforce.ts'
import { rulesOf } from '../scheduling/rules.ts'
import { type Made, withMade } from './ahead.ts'
import { checkLimits } from './check-limits.ts'
import { checkPublish } from './check-publish.ts'
import { requireAdminFor } from './find-container.ts'
import { findHost } from './hosts.ts'
import { confirmImage, type ImageChoice, imageOfNew } from './image-of-new.ts'
import { moved, vacate } from './give-way.ts'
import { type Insertion, insertContainer } from './insert-container.ts'
import { checkName, madeUpName } from './names.ts'
import { locksFor, publishAhead, publishPorts } from './publish.ts'

/** Writes the wish for a new container and answers; where it runs, and that it runs, is the reconciler's work. */
export async function createContainer(deps: Deps, caller: Caller, input: NewContainer): Promise<Container> {
  const image = await checkNew(deps, caller, input, 1)
  const { spec, mounts: asked = [] } = input
  const id = deps.ids.uuid() as ContainerId
  const request = portsRequestOf(id, input)
  const { container, others } = await withMade(deps, caller, { ports: request, mounts: asked }, async (made) => {
    const name = input.name ?? id
    const { nics = [] } = made
    const unborn = { id, name, spec, nics, projectId: caller.projectId, observed: nothingObserved }
    const published = made.nics && input.run ? await publishAhead(deps, caller, unborn) : made.nics
    const all = { ...made, ...(published && { nics: published }) }
    return deps.store.transaction(
      (tables) => writeNew(deps, tables, caller, { id, input, image }, all),
      locksOfNew(deps, caller, input),
    )
  })
  for (const other of others) deps.ring({ kind: 'wish', container: other, rewired: true })
  deps.hub.publish(containerEvent(container, container.createdAt))
  deps.ring({ kind: 'unplaced', id: container.id, projectId: container.projectId })
  return container
}

/** The part of a create that is one transaction. */
export async function writeNew(
  deps: Deps,
  tables: Tables,
  caller: Caller,
  { id, input, image }: { id: ContainerId; input: NewContainer; image: ImageChoice },
  made: Made,
): Promise<{ readonly container: Container; readonly others: readonly Container[] }> {
  const { spec, nets = [] } = input
  await enforceQuota(tables, caller.projectId, needsOf(spec, 1))
  await confirmImage(tables, image, spec.image)
  const vacated = await vacate(deps, tables, caller, nets)
  const reserved = await deps.networks.reserve(tables, caller, portsRequestOf(id, input), made.nics)
  const others = await moved(deps, tables, caller, vacated)
  const name = await nameOf(deps, tables, caller, input)
  const insertion = await reserveFor(deps, tables, caller, { id, name, input, image }, { ...made, reserved })
  return { container: await insertContainer(deps, tables, caller, insertion), others }
}

/** What can be said before anything is written; throws it, or answers with the image that is meant by now. */
export async function checkNew(deps: Deps, caller: Caller, input: NewContainer, count: number): Promise<ImageChoice> {
  const { spec, mounts = [] } = input
  checkPolicy(caller, input)
  if (spec.options) judgeOptions(deps.rules, caller, spec.options)
  if (input.name !== null) checkName(input.name)
  if (spec.requestedHost !== null) await findHost(deps, spec.requestedHost)
  checkLimits(spec)
  rulesOf(spec)
  checkSize({ spec, mounts })
  checkCounts(input)
  await checkPublish(deps, caller, spec, count)
  const image = await imageOfNew(deps, caller, {
    image: spec.image,
    registry: input.registry,
    pullPolicy: spec.pullPolicy,
  })
  // What is over quota for certain need not bother other services.
  if (deps.networks.remote ?? deps.volumes.remote) {
    await enforceQuota(deps.store, caller.projectId, needsOf(spec, count))
  }
  return image
}

/** Volumes of another service may be shared between projects; all else that it stands on is the project's own. */
export function locksOfNew({ volumes }: Pick<Deps, 'volumes'>, { projectId }: Caller, input: NewContainer): Lock[] {
  if (volumes.remote && (input.mounts ?? []).length > 0) return []
  return locksFor({ projectId, spec: input.spec })
}

export function needsOf({ cpu, memory, disk }: ContainerSpec, count: number) {
  return { containers: count, cpu: cpu * count, memory: memory * count, disk: disk * count }
}

export function portsRequestOf(containerId: ContainerId, input: NewContainer): PortsRequest {
  return {
    containerId,
    nets: input.nets ?? [],
    groups: input.groups ?? null,
    exposedPorts: input.spec.exposedPorts,
    ...(input.unplugged === true && { unplugged: true }),
  }
}

/** What a new container stands on beside its ports, which are reserved already; then only its row is missing. */
export async function reserveFor(
  deps: Deps,
  tables: Tables,
  caller: Caller,
  { id, name, input, image }: { id: ContainerId; name: string; input: NewContainer; image: ImageChoice },
  made: Made & { readonly reserved: readonly Nic[] },
): Promise<Insertion> {
  const { spec, run } = input
  const mounts = await deps.volumes.reserve(tables, caller, id, input.mounts ?? [], made.volumes)
  const { projectId } = caller
  const unborn = { id, name, spec, nics: made.reserved, projectId, observed: nothingObserved }
  const nics = run ? await publishPorts(deps, tables, caller, unborn, made.nics) : made.reserved
  return { id, name, spec, run, nics, mounts, capsule: null, ...image }
}

async function nameOf(deps: Deps, tables: Tables, { projectId }: Caller, input: NewContainer): Promise<string> {
  if (!input.uniqueName) return input.name ?? madeUpName(deps.ids)
  const isTaken = async (name: string) => (await tables.containers.find(projectId, name)).length > 0
  if (input.name !== null) {
    if (await isTaken(input.name)) throw new Fault('container.name-taken', { name: input.name })
    return input.name
  }
  const name = madeUpName(deps.ids)
  return (await isTaken(name)) ? `${name}-${deps.ids.hex(4)}` : name
}

/**
 * Bytes of a spec and its files as JSON. A host is told all of it in one message, and takes none longer than 4 MiB: without
 * this bound a tenant could end every session of a host. A body may grow on its way here (`1e20` in a label becomes 21 digits).
 */
const largestSpec = 1536 * 1024

export function checkSize(asked: Pick<NewContainer, 'spec' | 'mounts'>): void {
  if (Buffer.byteLength(JSON.stringify(asked)) > largestSpec) {
    throw new Fault('request.too-large', { limit: largestSpec })
  }
}

/**
 * Each of these is looked up by itself in the transaction of the create, while every other writer waits. Published ports: as many as a
 * floating IP forwards.
 */
const most = { nets: 32, groups: 64, mounts: 64, 'exposed ports': 1024, 'published ports': 100 }

export function checkCounts({
  spec,
  nets = [],
  groups = [],
  mounts = [],
}: Pick<NewContainer, 'nets' | 'groups' | 'mounts'> & { readonly spec?: ContainerSpec }): void {
  const asked = {
    nets,
    groups,
    mounts,
    'exposed ports': spec?.exposedPorts ?? [],
    'published ports': spec?.options?.publish ?? [],
  }
  for (const [what, limit] of Object.entries(most)) {
    const { length } = asked[what as keyof typeof most]
    if (length > limit) {
      throw new Fault('request.invalid', { problem: `A container has at most ${limit} ${what}, not ${length}.` })
    }
  }
}

/** What could reach the host, or is the operator's to decide, is refused unless policy grants it. */
export function checkPolicy(caller: Caller, { spec }: NewContainer): void {
  if (spec.privileged) {
    throw new Fault('policy.forbidden', { action: 'A privileged container', reason: 'the policy grants it to nobody' })
  }
  requireAdminFor(caller, spec.runtime !== null, 'Choosing the runtime')
  requireAdminFor(caller, spec.requestedHost !== null, 'Choosing the host')
}
