import { reasonOf } from '@gantry/kernel'
import type { Caller, ContainerId, Nic } from '@gantry/model'
import type { Deps } from '../deps.ts'
import type { PortsRequest } from '../ports/networks.ts'
import type { MadeVolumes, MountRequest } from '../ports/volumes.ts'

type AheadDeps = Pick<Deps, 'networks' | 'volumes' | 'log'>

/** What other services made for a container before it is written; undefined where everything is made within the transaction. */
export interface Made {
  readonly nics?: readonly Nic[]
  readonly volumes?: MadeVolumes
}

/** What a container, or a capsule, needs of other services. */
export interface Needs {
  readonly ports: PortsRequest
  readonly mounts: readonly MountRequest[]
}

/**
 * Runs `work`, which writes a container, with the ports and volumes that other services made for it, both at once; they go
 * again if it fails.
 */
export async function withMade<T>(
  deps: AheadDeps,
  caller: Caller,
  { ports, mounts }: Needs,
  work: (made: Made) => Promise<T>,
): Promise<T> {
  const { containerId } = ports
  const volumes = mounts.length === 0 ? null : deps.volumes.remote
  const [nics, held] = await Promise.allSettled([
    deps.networks.remote?.make(caller, ports),
    volumes?.make(caller, containerId, mounts),
  ])
  const drop = () => {
    if (nics.status === 'fulfilled' && nics.value) dropPorts(deps, containerId, nics.value)
    if (held.status === 'fulfilled' && held.value) dropVolumes(deps, containerId, held.value)
  }
  try {
    if (nics.status === 'rejected') throw nics.reason
    if (held.status === 'rejected') throw held.reason
    return await work({ ...(nics.value && { nics: nics.value }), ...(held.value && { volumes: held.value }) })
  } catch (error) {
    drop()
    throw error
  }
}

/** Runs `work`; if it fails, these ports go again. */
export async function orDropped<T>(
  deps: AheadDeps,
  containerId: ContainerId,
  made: readonly Nic[],
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    dropPorts(deps, containerId, made)
    throw error
  }
}

/** Not waited for: the provider's sweep takes them as well. */
function dropPorts({ networks, log }: AheadDeps, containerId: ContainerId, made: readonly Nic[]): void {
  void networks.remote?.drop(containerId, made).catch((problem: unknown) => {
    const reason = reasonOf(problem)
    log.warn({ container: containerId, reason }, 'ports of a container that was not made stay for now')
  })
}

/** As `dropPorts`. */
function dropVolumes({ volumes, log }: AheadDeps, containerId: ContainerId, made: MadeVolumes): void {
  void volumes.remote?.drop(containerId, made).catch((problem: unknown) => {
    const reason = reasonOf(problem)
    log.warn({ container: containerId, reason }, 'volumes of a container that was not made stay held for now')
  })
}
