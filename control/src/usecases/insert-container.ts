import {
  type Action,
  type ActionId,
  type Caller,
  type Container,
  type ContainerSpec,
  nothingObserved,
  statusOf,
} from '@gantry/model'
import type { Deps } from '../deps.ts'
import type { Tables } from '../ports/store.ts'

export interface Insertion
  extends Pick<
    Container,
    'id' | 'name' | 'nics' | 'mounts' | 'capsule' | 'imageRef' | 'imageManifest' | 'registryId' | 'sealedRegistryAuth'
  > {
  readonly spec: ContainerSpec
  /** Start it once it is created. */
  readonly run: boolean
}

/** Writes a new container and the action that creates it. */
export async function insertContainer(
  deps: Pick<Deps, 'clock' | 'ids'>,
  tables: Tables,
  caller: Caller,
  insertion: Insertion,
): Promise<Container> {
  const { container, action } = newContainer(deps, caller, insertion)
  await tables.containers.insert(container)
  await tables.actions.insert(action)
  return container
}

/** Likewise of many, in few statements. */
export async function insertContainers(
  deps: Pick<Deps, 'clock' | 'ids'>,
  tables: Tables,
  caller: Caller,
  insertions: readonly Insertion[],
): Promise<Container[]> {
  const made = insertions.map((insertion) => newContainer(deps, caller, insertion))
  const containers = made.map(({ container }) => container)
  await tables.containers.insertMany(containers)
  await tables.actions.insertMany(made.map(({ action }) => action))
  return containers
}

function newContainer(
  deps: Pick<Deps, 'clock' | 'ids'>,
  caller: Caller,
  { run, ...given }: Insertion,
): { readonly container: Container; readonly action: Action } {
  const now = deps.clock.now()
  const bare: Omit<Container, 'status' | 'statusReason'> = {
    ...given,
    projectId: caller.projectId,
    userId: caller.userId,
    createdAt: now,
    updatedAt: now,
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
    placementFailure: null,
    observed: nothingObserved,
    seenGeneration: 0,
    hostLost: false,
  }
  const { status, reason: statusReason } = statusOf(bare)
  const container: Container = { ...bare, status, statusReason }
  const action: Action = {
    id: deps.ids.uuid() as ActionId,
    containerId: container.id,
    projectId: container.projectId,
    userId: caller.userId,
    requestId: caller.requestId,
    name: 'create',
    wishVersion: 1,
    startedAt: now,
    finishedAt: null,
    error: null,
  }
  return { container, action }
}
