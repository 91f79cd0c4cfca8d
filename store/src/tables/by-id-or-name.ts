import type { Scope } from '@gantry/control'
import type { ProjectId } from '@gantry/model'
import type { AgedRows } from './aged-rows.ts'

interface Named {
  readonly id: string
  readonly name: string
  readonly projectId: ProjectId
}

/** At most two: the second only tells that the name is ambiguous. An id wins over names. */
export async function byIdOrName<T extends Named>(rows: AgedRows<T>, scope: Scope, ref: string): Promise<T[]> {
  const own = (scope === null ? {} : { projectId: scope }) as Partial<T>
  const [known] = await rows.where({ ...own, id: ref })
  return known ? [known] : rows.where({ ...own, name: ref }, 2)
}
