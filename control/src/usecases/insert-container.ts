import {
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
  { run, ...given }: Insertion,
): Promise<Container> {
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
  await tables.containers.insert(container)
  await tables.actions.insert({
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
  })
  return container
}
