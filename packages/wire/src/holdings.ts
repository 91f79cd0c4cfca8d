import { createHash } from 'node:crypto'
import type { Assignment, ContainerId, Observed } from '@gantry/model'

/** What an agent was told of one container, as far as a server may change it, and what it says of it itself. */
export interface Holding {
  readonly told: Pick<Assignment, 'wish' | 'nics' | 'mounts'>
  readonly observed: Observed
}

/** Stands for one holding. The same text as the store's rows hold it: whoever changes this changes `store/src/tables/holdings.ts`. */
export function holdingDigest({ told: { wish, nics, mounts }, observed }: Holding): string {
  return sha256([wish, nics, mounts, observed].map((part) => JSON.stringify(part)).join(''))
}

/** Stands for all that a host holds; any order. */
export function holdingsDigest(digests: Iterable<readonly [id: ContainerId, digest: string]>): string {
  const each = [...digests].map(([id, digest]) => `${id} ${digest}`)
  return sha256(each.toSorted().join(''))
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
