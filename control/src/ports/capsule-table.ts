import type { Capsule, CapsuleId, Container, HostId, ProjectId } from '@gantry/model'
import type { Scope } from './store.ts'

export interface CapsuleTable {
  insert(capsule: Capsule): Promise<void>
  get(id: CapsuleId): Promise<Capsule | undefined>
  /** By id or by name, at most two. An id wins over names. */
  find(scope: Scope, ref: string): Promise<Capsule[]>
  /** By age; at most `limit`, after `marker`. */
  list(scope: Scope, query: { readonly limit: number; readonly marker: CapsuleId | null }): Promise<Capsule[]>
  update(id: CapsuleId, change: Partial<Pick<Capsule, 'hostId' | 'gone' | 'updatedAt'>>): Promise<void>
  remove(id: CapsuleId): Promise<void>
  /** All its containers, sandbox first, then init containers, then the others, each in the template's order. */
  members(id: CapsuleId): Promise<Container[]>
  ofHost(hostId: HostId): Promise<Capsule[]>
  unplaced(): Promise<Capsule[]>
  countOf(project: ProjectId): Promise<number>
}
