import { Fault } from '@gantry/kernel'
import { type Caller, type Container, type ContainerId, type ContainerSpec, nothingObserved } from '@gantry/model'
import type { NewContainer } from '../control.ts'
import type { Deps } from '../deps.ts'
import type { Tables } from '../ports/store.ts'
import { containerEvent } from '../events/hub.ts'
import { judgeOptions } from '../policy/judge-options.ts'
import { enforceQuota } from '../quotas/enforce.ts'
import { checkLimits } from './check-limits.ts'
import { requireAdminFor } from './find-container.ts'
import { findHost } from './hosts.ts'
import { confirmImage, imageOfNew } from './image-of-new.ts'
import { moved, vacate } from './give-way.ts'
import { insertContainer } from './insert-container.ts'
import { checkName, madeUpName } from './names.ts'
import { publishPorts } from './publish.ts'

/** Writes the wish for a new container and answers; where it runs, and that it runs, is the reconciler's work. */
export async function createContainer(deps: Deps, caller: Caller, input: NewContainer): Promise<Container> {
  checkPolicy(caller, input)
  if (input.spec.options) judgeOptions(deps.rules, caller, input.spec.options)
  if (input.name !== null) checkName(input.name)
  const { spec, mounts: asked = [] } = input
  if (spec.requestedHost !== null) await findHost(deps, spec.requestedHost)
  checkLimits(spec)
  checkSize({ spec, mounts: asked })
  checkCounts(input)
  const { pullPolicy } = spec
  const image = await imageOfNew(deps, caller, { image: spec.image, registry: input.registry, pullPolicy })
  const { container, others } = await deps.store.transaction(async (tables) => {
    const { cpu, memory, disk } = spec
    await enforceQuota(tables, caller.projectId, { containers: 1, cpu, memory, disk })
    await confirmImage(tables, image, spec.image)
    const id = deps.ids.uuid() as ContainerId
    const vacated = await vacate(deps, tables, caller, input.nets ?? [])
    const reserved = await deps.networks.reserve(tables, caller, {
      containerId: id,
      nets: input.nets ?? [],
      groups: input.groups ?? null,
      exposedPorts: spec.exposedPorts,
      ...(input.unplugged === true && { unplugged: true }),
    })
    const others = await moved(deps, tables, caller, vacated)
    const mounts = await deps.volumes.reserve(tables, caller, id, asked)
    const name = await nameOf(deps, tables, caller, input)
    const unborn = { id, name, spec, nics: reserved, projectId: caller.projectId, observed: nothingObserved }
    const nics = input.run ? await publishPorts(deps, tables, caller, unborn) : reserved
    const container = await insertContainer(deps, tables, caller, {
      id,
      name,
      spec,
      run: input.run,
      nics,
      mounts,
      capsule: null,
      ...image,
    })
    return { container, others }
  })
  for (const other of others) deps.ring({ kind: 'wish', container: other, rewired: true })
  deps.hub.publish(containerEvent(container, container.createdAt))
  deps.ring({ kind: 'unplaced', id: container.id })
  return container
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

/** Each of these is looked up by itself in the transaction of the create, while every other writer waits. */
const most = { nets: 32, groups: 64, mounts: 64, 'exposed ports': 1024 }

export function checkCounts({
  spec,
  nets = [],
  groups = [],
  mounts = [],
}: Pick<NewContainer, 'nets' | 'groups' | 'mounts'> & { readonly spec?: ContainerSpec }): void {
  const asked = { nets, groups, mounts, 'exposed ports': spec?.exposedPorts ?? [] }
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
