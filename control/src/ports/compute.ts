import type { Container, InstanceId, ProjectId } from '@gantry/model'

/** What a new instance is told. */
export interface Boot {
  readonly id: InstanceId
  readonly name: string
  /** Whose containers it will run; null: everybody's. */
  readonly projectId: ProjectId | null
  /** Lets its agent join once, under that name. Its `tokenId` is no secret and is kept with the instance. */
  readonly token: string
  readonly tokenId: string
  /** Of the host. */
  readonly labels: Readonly<Record<string, string>>
}

/** An instance of ours as its provider sees it. */
export interface FoundInstance {
  readonly providerId: string
  readonly id: InstanceId
  readonly tokenId: string
  /** What the provider says went wrong with it; null: nothing. */
  readonly problem: string | null
}

/** What one instance has for containers. */
export interface InstanceSize {
  readonly cpus: number
  /** MiB. */
  readonly memory: number
  /** GiB. */
  readonly disk: number
}

/**
 * Makes and deletes machines whose agents join this cloud. Whatever it makes carries our deployment's mark and the instance's id
 * from the first moment, so that it is found again by `list` even if nobody heard the answer of `create`.
 */
export interface ComputeProvider {
  readonly name: string
  /** How long after it was ordered one may appear in `list` whose order's answer nobody waits for any more. Milliseconds. */
  readonly lateMs: number
  /** Throws if it cannot be known now. */
  size(signal: AbortSignal): Promise<InstanceSize>
  /** Answers the provider's id. Throws `compute.refused` where asking again would be of no use. */
  create(boot: Boot, signal: AbortSignal): Promise<string>
  /** Those with our mark, and never any other. */
  list(signal: AbortSignal): Promise<readonly FoundInstance[]>
  /** Resolves when it is gone; one that is gone already, or without our mark, is left as it is. */
  delete(providerId: string, signal: AbortSignal): Promise<void>
}

/** How many are made for how many containers, and when they go. */
export interface SupplyPolicy {
  /** Containers on one instance, at most. */
  readonly perInstance: number
  /** How long one without containers stays. */
  readonly lingerMs: number
  /** How long one may take from its order until its agent joins. */
  readonly bootTimeoutMs: number
  /** How often it is tried before containers are told that there is no host. */
  readonly attempts: number
  /** Before the second attempt; doubled with each further one. */
  readonly retryMs: number
  /** At most so many instances. */
  readonly most: number
  /** One takes containers of all projects; otherwise of one alone. */
  readonly shared: boolean
}

/** What placement asks of hosts on demand. */
export interface Supply {
  /**
   * Whether a container that fits nowhere is to wait for an instance. Called inside the transaction that places it. If none will
   * come for it, the supply tells the container so, long before `until`.
   */
  hope(leader: Container): Hope
  /** Something may have changed: look anew. Returns at once. */
  wake(): void
}

export type Hope = { readonly kind: 'wait'; readonly until: number } | { readonly kind: 'none' }
