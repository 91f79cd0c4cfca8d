import type { Cursor, Store } from '@gantry/control'
import type { Container, ContainerId, CapsuleId } from '@gantry/model'
import type { Broker } from './broker.ts'
import { existsOf, type Period } from './translate.ts'

interface UsageOptions {
  readonly store: Pick<Store, 'capsules' | 'changes' | 'containers'>
  readonly deployment: string
  readonly usagePeriod: number
}

/** To which time usage has been told, as `0.` and seconds. */
const mark = 'usage'
const pageSize = 200

/**
 * The period that has ended and was not told of yet. Of several that passed while nobody could tell, only the last: nobody knows any
 * more what there was in the others but for the events of the time.
 */
export async function usageDue({ store, usagePeriod }: UsageOptions, now: number): Promise<Period | null> {
  if (usagePeriod === 0) return null
  const length = usagePeriod * 1000
  const to = Math.floor(now / length) * length
  const told = await store.changes.mark(mark)
  if (told === undefined) await store.changes.setMark(mark, markOf(to))
  return told === undefined || told === markOf(to) ? null : { from: to - length, to }
}

/** Tells of every container, then that it was told: broken off, it is told again with the same ids. */
export async function tellUsage(options: UsageOptions, broker: Pick<Broker, 'publish'>, period: Period): Promise<void> {
  const { store, deployment } = options
  for await (const containers of allOf(store)) {
    const there = containers.filter(({ createdAt, capsule }) => createdAt < period.to && capsule?.role !== 'sandbox')
    if (there.length > 0) await broker.publish(there.map((container) => existsOf(container, period, deployment)))
  }
  await store.changes.setMark(mark, markOf(period.to))
}

function markOf(at: number): Cursor {
  return `0.${Math.floor(at / 1000)}` as Cursor
}

async function* allOf({ containers, capsules }: UsageOptions['store']): AsyncGenerator<Container[]> {
  for (let marker: ContainerId | null = null; ; ) {
    const query = { filters: {}, sortKey: 'uuid', descending: false, limit: pageSize, marker } as const
    const page: Container[] = await containers.list(null, query)
    yield page
    const last = page.at(-1)
    if (!last || page.length < pageSize) break
    marker = last.id
  }
  for (let marker: CapsuleId | null = null; ; ) {
    const page = await capsules.list(null, { limit: pageSize, marker })
    for (const { id } of page) yield await capsules.members(id)
    const last = page.at(-1)
    if (!last || page.length < pageSize) return
    marker = last.id
  }
}
