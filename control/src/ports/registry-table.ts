import type { ProjectId, Registry, RegistryId } from '@gantry/model'
import type { Scope } from './store.ts'

export interface RegistryTable {
  insert(registry: Registry): Promise<void>
  /** By id or by name, at most two. An id wins over names. */
  find(scope: Scope, ref: string): Promise<Registry[]>
  /** By age. */
  list(scope: Scope): Promise<Registry[]>
  update(id: RegistryId, change: Partial<Omit<Registry, 'id' | 'projectId' | 'userId' | 'createdAt'>>): Promise<void>
  remove(id: RegistryId): Promise<void>
  countOf(project: ProjectId): Promise<number>
}
