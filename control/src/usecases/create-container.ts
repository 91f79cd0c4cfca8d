import { Fault } from '@gantry/kernel'
import { type ActionId, type Caller, type Container, type ContainerId, nothingObserved, statusOf } from '@gantry/model'
import type { NewContainer } from '../control.ts'
import type { Deps } from '../deps.ts'
import { containerEvent } from '../events/hub.ts'
import { enforceQuota } from '../quotas/enforce.ts'
import { checkLimits } from './check-limits.ts'
import { requireAdminFor } from './find-container.ts'
import { findHost } from './hosts.ts'
import { resolveImage } from './images-of-project.ts'
import { checkName, madeUpName } from './names.ts'

/** Writes the wish for a new container and answers; where it runs, and that it runs, is the reconciler's work. */
export async function createContainer(deps: Deps, caller: Caller, input: NewContainer): Promise<Container> {
  checkPolicy(caller, input)
  if (input.name !== null) checkName(input.name)
  if (input.spec.requestedHost !== null) await findHost(deps, input.spec.requestedHost)
  checkLimits(input.spec)
  checkSize(input.spec)
  const container = await deps.store.transaction(async (tables) => {
    const { cpu, memory, disk } = input.spec
    await enforceQuota(tables, caller.projectId, { containers: 1, cpu, memory, disk })
    const image = await resolveImage(tables, caller.projectId, input.spec.image)
    const fresh = newContainer(deps, caller, input, image.engineRef)
    await tables.containers.insert(fresh)
    await tables.actions.insert({
      id: deps.ids.uuid() as ActionId,
      containerId: fresh.id,
      projectId: fresh.projectId,
      userId: caller.userId,
      requestId: caller.requestId,
      name: 'create',
      wishVersion: 1,
      startedAt: fresh.createdAt,
      finishedAt: null,
      error: null,
    })
    return fresh
  })
  deps.hub.publish(containerEvent(container, container.createdAt))
  deps.ring({ kind: 'unplaced', id: container.id })
  return container
}

/**
 * Bytes of a spec as JSON. A host is told all of it in one message, and takes none longer than 4 MiB: without this bound a
 * tenant could end every session of a host. A body may grow on its way here (`1e20` in a label becomes 21 digits).
 */
const largestSpec = 1536 * 1024

function checkSize(spec: NewContainer['spec']): void {
  if (Buffer.byteLength(JSON.stringify(spec)) > largestSpec) {
    throw new Fault('request.too-large', { limit: largestSpec })
  }
}

/** What could reach the host, or is the operator's to decide, is refused unless policy grants it. */
function checkPolicy(caller: Caller, { spec, pullPolicyAsked }: NewContainer): void {
  if (spec.privileged) {
    throw new Fault('policy.forbidden', { action: 'A privileged container', reason: 'the policy grants it to nobody' })
  }
  requireAdminFor(caller, spec.runtime !== null, 'Choosing the runtime')
  requireAdminFor(caller, spec.requestedHost !== null, 'Choosing the host')
  requireAdminFor(caller, pullPolicyAsked === true, 'Choosing the image pull policy')
}

function newContainer(deps: Deps, caller: Caller, { name, spec, run }: NewContainer, imageRef: string): Container {
  const now = deps.clock.now()
  const container: Container = {
    id: deps.ids.uuid() as ContainerId,
    projectId: caller.projectId,
    userId: caller.userId,
    name: name ?? madeUpName(deps.ids),
    createdAt: now,
    updatedAt: now,
    spec,
    wish: {
      version: 1,
      generation: 1,
      power: run ? { kind: 'running', since: null, bounce: false, graceSeconds: 0 } : { kind: 'created' },
      paused: false,
      gone: null,
    },
    task: 'container_creating',
    hostId: null,
    hostName: null,
    imageRef,
    placementFailure: null,
    observed: nothingObserved,
    seenGeneration: 0,
    hostLost: false,
    status: 'Creating',
    statusReason: null,
  }
  return { ...container, status: statusOf(container).status }
}
