import type { InstanceId, ProjectId } from '@gantry/model'

/**
 * `wanted`: nobody was asked for it yet. `booting`: the provider was, perhaps. `joined`: its agent has connected once.
 * `reaping`: it is being deleted. `failed`: it is deleted, and its row only tells why.
 */
export type InstanceState = 'wanted' | 'booting' | 'joined' | 'reaping' | 'failed'

/** A machine that is made when containers find no host, and deleted when it has none any more. Its host has the same id. */
export interface Instance {
  readonly id: InstanceId
  /** The only name under which it may join. */
  readonly name: string
  readonly state: InstanceState
  /** Whose containers alone it takes; null: everybody's. */
  readonly projectId: ProjectId | null
  /** As its provider calls it; null: not known yet. */
  readonly providerId: string | null
  /** The join token that it was given. */
  readonly tokenId: string | null
  /** Why it is deleted although it is needed. */
  readonly reason: string | null
  /** The provider said no: asking again soon is of no use. */
  readonly refused: boolean
  /** Epoch milliseconds. */
  readonly createdAt: number
  /** When it got into this state. */
  readonly since: number
  /** Since when it has no container; null: it has some, or has not joined. */
  readonly idleSince: number | null
}

/** Oldest first. */
export interface InstanceTable {
  insert(instance: Instance): Promise<void>
  get(id: InstanceId): Promise<Instance | undefined>
  list(): Promise<Instance[]>
  byToken(tokenId: string): Promise<Instance | undefined>
  update(id: InstanceId, change: Partial<Omit<Instance, 'id'>>): Promise<void>
  remove(id: InstanceId): Promise<void>
}
