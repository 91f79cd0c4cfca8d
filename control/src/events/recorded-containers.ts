import type { Action, Container, ContainerId } from '@gantry/model'
import type { Change } from '../ports/change-table.ts'
import type { ActionTable, ContainerTable, Tables } from '../ports/store.ts'
import { actionChange, type Phase, statusChange } from './change-of.ts'

interface Told {
  readonly action: Action
  readonly phase: Phase
}

/**
 * Watches what one transaction does to containers and their actions. What it read and wrote is remembered, so that telling of it costs
 * no second look at the store.
 */
export class ContainerRecorder {
  readonly #tables: Tables
  /** As each was when the transaction first saw it, and as it is by now; gone ones as they were last. */
  readonly #before = new Map<ContainerId, Container>()
  readonly #now = new Map<ContainerId, Container>()
  readonly #unseen = new Set<ContainerId>()
  readonly #told: Told[] = []

  constructor(tables: Tables) {
    this.#tables = tables
  }

  containers(): ContainerTable {
    const { containers } = this.#tables
    return {
      ...containers,
      insert: async (container) => {
        await containers.insert(container)
        this.#see([container])
      },
      insertMany: async (inserted) => {
        await containers.insertMany(inserted)
        this.#see([...inserted])
      },
      get: async (id) => this.#see([await containers.get(id)])[0],
      getMany: async (ids) => this.#see(await containers.getMany(ids)),
      find: async (scope, ref) => this.#see(await containers.find(scope, ref)),
      ofHost: async (id) => this.#see(await containers.ofHost(id)),
      update: async (id, change) => {
        await containers.update(id, change)
        const known = this.#now.get(id)
        if (known) this.#now.set(id, { ...known, ...change })
        else if (change.status !== undefined) this.#unseen.add(id)
      },
      observe: async (seen) => {
        await containers.observe(seen)
        for (const { id, ...change } of seen) {
          const known = this.#now.get(id)
          if (known) this.#now.set(id, { ...known, ...change })
          else this.#unseen.add(id)
        }
      },
      remove: async (id) => {
        if (!this.#now.has(id)) this.#see([await containers.get(id)])
        await containers.remove(id)
      },
    }
  }

  actions(): ActionTable {
    const { actions } = this.#tables
    return {
      ...actions,
      insert: async (action) => {
        await actions.insert(action)
        this.#tell(action, 'start')
      },
      insertMany: async (inserted) => {
        await actions.insertMany(inserted)
        for (const action of inserted) this.#tell(action, 'start')
      },
      finishUpTo: async (...what) => {
        const ended = await actions.finishUpTo(...what)
        for (const action of ended) this.#tell(action, action.error === null ? 'end' : 'error')
        return ended
      },
      finishMany: async (ends) => {
        const ended = await actions.finishMany(ends)
        for (const action of ended) this.#tell(action, action.error === null ? 'end' : 'error')
        return ended
      },
      finish: async (id, at, error) => {
        await actions.finish(id, at, error)
        const action = await actions.get(id)
        if (action) this.#tell(action, error === null ? 'end' : 'error')
      },
    }
  }

  /** For what reads containers by other tables. */
  seen(containers: Container[]): Container[] {
    return this.#see(containers)
  }

  async changes(at: number): Promise<Change[]> {
    const missing = [...this.#unseen, ...this.#told.map(({ action }) => action.containerId)]
    const unknown = [...new Set(missing)].filter((id) => !this.#now.has(id))
    if (unknown.length > 0) this.#see(await this.#tables.containers.getMany(unknown))
    const changes = this.#told.map(({ action, phase }) =>
      actionChange(action, phase, this.#now.get(action.containerId), at),
    )
    // What an action's own change shows need not be told once more.
    const told = new Set(this.#told.map(({ action }) => action.containerId))
    for (const [id, after] of this.#now) {
      const before = this.#unseen.has(id) ? undefined : this.#before.get(id)
      if (before?.status !== after.status && !told.has(id)) changes.push(statusChange(before, after, at))
    }
    return changes
  }

  #tell(action: Action, phase: Phase): void {
    this.#told.push({ action, phase })
  }

  #see<C extends Container | undefined>(found: C[]): C[] {
    for (const container of found) {
      if (!container || this.#now.has(container.id)) continue
      this.#before.set(container.id, container)
      this.#now.set(container.id, container)
    }
    return found
  }
}
