import type { Asker, Collection, EntityTable } from '@gantry/control'
import type { Parts } from './parts.ts'
import { revoking } from './parts.ts'
import { found, requireAdmin } from './policy.ts'

export interface CollectionSketch<T extends { readonly id: string }, New> {
  readonly type: string
  readonly table: EntityTable<T>
  /** Whether somebody without the role admin may read: everything, or what this tells. */
  readonly readable?: 'all' | ((asker: Asker, id: string) => Promise<boolean>)
  make(asker: Asker, input: New): Promise<T>
  /** Checks a change and gives the part that is kept in the table. */
  change(current: T, change: Partial<New>): Promise<Partial<Omit<T, 'id'>>>
  /** After the entity was made or changed. */
  settle?(entity: T, input: Partial<New>): Promise<void>
  /** Subjects whose tokens a change takes something away from. */
  revokedBy?(current: T, change: Partial<New>): readonly string[]
  /** Checks that it may go, and takes along what hangs on it; gives the subjects to revoke. */
  removing?(current: T, asker: Asker): Promise<readonly string[]>
}

/** The five calls that all administered things share. */
export function collection<T extends { readonly id: string }, New>(
  { box }: Parts,
  sketch: CollectionSketch<T, New>,
): Collection<T, New> {
  const { type, table, readable } = sketch
  const get = (id: string) => found(table.get(id), type, id)
  const mayRead = async (asker: Asker, id: string) =>
    asker.isAdmin || readable === 'all' || (readable !== undefined && (await readable(asker, id)))
  return {
    async create(asker, input) {
      requireAdmin(asker, `Creating a ${type}`)
      const entity = await sketch.make(asker, input)
      await table.insert(entity)
      await sketch.settle?.(entity, input)
      return entity
    },
    async get(asker, id) {
      if (!(await mayRead(asker, id))) requireAdmin(asker, `Reading this ${type}`)
      return get(id)
    },
    async list(asker, filter) {
      if (readable !== 'all') requireAdmin(asker, `Listing each ${type}`)
      return table.list(filter)
    },
    async update(asker, id, change) {
      requireAdmin(asker, `Changing a ${type}`)
      const current = await get(id)
      const kept = await sketch.change(current, change)
      await revoking(box, sketch.revokedBy?.(current, change) ?? [], async () => {
        await table.update(id, kept)
        await sketch.settle?.(current, change)
      })
      return get(id)
    },
    async remove(asker, id) {
      requireAdmin(asker, `Deleting a ${type}`)
      const subjects = (await sketch.removing?.(await get(id), asker)) ?? []
      await revoking(box, subjects, () => table.remove(id))
    },
  }
}
