import { Fault, reasonOf } from '@gantry/kernel'
import {
  type Caller,
  type Container,
  type ContainerId,
  type ContainerSpec,
  defaultSpec,
  type Nic,
  sandboxImage,
} from '@gantry/model'
import type { Deps } from '../../deps.ts'
import { containerEvent } from '../../events/hub.ts'
import { judgeOptions } from '../../policy/judge-options.ts'
import type { PortsRequest } from '../../ports/networks.ts'
import type { ServerId } from '../../ports/cluster.ts'
import type { Tables } from '../../ports/store.ts'
import { enforceQuota } from '../../quotas/enforce.ts'
import { checkLimits } from '../check-limits.ts'
import { deleteContainer } from '../delete-container.ts'
import { insertContainer } from '../insert-container.ts'
import { withMade } from '../ahead.ts'
import { untilDone } from '../read-containers.ts'

const buildLabel = 'gantry.build'

/** As long as a host may take to start it. Milliseconds. */
const patienceMs = 120_000

export interface BuildSandbox {
  /** A host's name. */
  readonly host: string
  readonly cpu: number | null
  readonly memory: number | null
  readonly extraHosts: readonly string[]
  /** null: the project's own; `none`: in no network. */
  readonly network: string | null
}

/**
 * A container of the project's that stands for a build: it counts in the quota with what the steps may use, and its network is
 * theirs. Resolves when it runs.
 */
export async function startSandbox(
  deps: Deps,
  caller: Caller,
  asked: BuildSandbox,
  signal: AbortSignal,
): Promise<Container> {
  const usual = defaultSpec(sandboxImage)
  const spec: ContainerSpec = {
    ...usual,
    cpu: asked.cpu ?? usual.cpu,
    memory: asked.memory ?? usual.memory,
    labels: { [buildLabel]: 'true' },
    requestedHost: asked.host,
    options: asked.extraHosts.length > 0 ? { extraHosts: [...asked.extraHosts] } : {},
  }
  checkLimits(spec)
  if (spec.options) judgeOptions(deps.rules, caller, spec.options)
  const id = deps.ids.uuid() as ContainerId
  const { cpu, memory, disk } = spec
  const request: PortsRequest = {
    containerId: id,
    nets: asked.network === null || asked.network === 'none' ? [] : [{ network: asked.network, addresses: [] }],
    groups: null,
    exposedPorts: [],
    ...(asked.network === 'none' && { unplugged: true }),
  }
  const write = async (tables: Tables, made?: readonly Nic[]) => {
    await enforceQuota(tables, caller.projectId, { containers: 1, cpu, memory, disk })
    const nics = await deps.networks.reserve(tables, caller, request, made)
    const image = { imageRef: sandboxImage, imageManifest: null, registryId: null, sealedRegistryAuth: null }
    const name = `build-${deps.ids.hex(6)}`
    await tables.duties.begin('build', id, deps.cluster.self)
    return insertContainer(deps, tables, caller, {
      id,
      name,
      spec,
      run: true,
      nics,
      mounts: [],
      capsule: null,
      ...image,
    })
  }
  const container = await withMade(deps, caller, { ports: request, mounts: [] }, ({ nics }) =>
    deps.store.transaction((tables) => write(tables, nics)),
  )
  deps.hub.publish(containerEvent(container, container.createdAt))
  deps.ring({ kind: 'unplaced', id, projectId: caller.projectId })
  try {
    return await running(deps, caller, id, signal)
  } catch (error) {
    await endSandbox(deps, caller, id)
    throw error
  }
}

async function running(deps: Deps, caller: Caller, id: ContainerId, signal: AbortSignal): Promise<Container> {
  const done = ({ observed, placementFailure }: Container) =>
    observed.engine?.state === 'running' || observed.failure !== null || placementFailure !== null
  const limit = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)])
  const { container, gone } = await untilDone(deps, caller, { id, done, signal: limit })
  if (!gone && container.observed.engine?.state === 'running') return container
  const problem = container.placementFailure ?? container.observed.failure?.reason ?? 'it was deleted'
  throw new Fault('request.invalid', { problem: `The build could not begin: ${problem}` })
}

/** It goes, whatever its state; that it went already is no matter. */
export async function endSandbox(deps: Deps, caller: Caller, id: ContainerId): Promise<void> {
  try {
    await deleteContainer(deps, caller, id, { force: false, stop: true, graceSeconds: 0 })
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'container.not-found') {
      // It stays a duty of this server's: the next start tries again.
      return deps.log.warn({ container: id, reason: reasonOf(error) }, 'sandbox of a build not removed')
    }
  }
  await deps.store.duties.end('build', id)
}

/** Removes what stands for builds of servers that are no more. */
export async function endBuildsLeft(deps: Deps, alive: readonly ServerId[]): Promise<void> {
  const left = (await deps.store.duties.left('build', alive)) as ContainerId[]
  for (const { id, projectId, userId } of await deps.store.containers.getMany(left)) {
    const requestId = `req-${deps.ids.uuid()}` as Caller['requestId']
    const owner = { userId, userName: '', projectId, projectName: '', roles: [], isAdmin: false, requestId }
    await endSandbox(deps, owner, id)
  }
}
