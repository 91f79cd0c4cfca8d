import type { ProjectId } from '@gantry/model'
import type { Change } from '../ports/change-table.ts'
import { objectChange } from './change-of.ts'

export interface Owned<Id extends string = string> {
  readonly id: Id
  /** null: nobody's; only administrators are told. */
  readonly projectId: ProjectId | null
}

export type Verb = 'create' | 'update' | 'delete'

interface Recorded<Id extends string, T extends Owned<Id>> {
  /** The beginning of the changes' types: `subnet`. */
  readonly noun: string
  get(id: Id): Promise<T | undefined>
  /** What tenants are told of one: nothing secret, and no host. */
  dataOf(object: T): Readonly<Record<string, unknown>>
}

/**
 * Watches what one transaction does to the objects of one table. Each is told of once, as it is at the end: what was made and then
 * changed was made, what was changed and then removed was removed, and what was made and removed again never was.
 */
export class ObjectRecorder<Id extends string, T extends Owned<Id>> {
  readonly #of: Recorded<Id, T>
  /** As the transaction read or wrote them last, so that telling costs no second look. */
  readonly #known = new Map<Id, T>()
  readonly #verbs = new Map<Id, Verb>()

  constructor(of: Recorded<Id, T>) {
    this.#of = of
  }

  /** For whatever reads objects. */
  seen<O extends T | undefined>(found: O): O {
    if (found) this.#known.set(found.id, found)
    return found
  }

  created(object: T): void {
    this.#known.set(object.id, object)
    this.#verbs.set(object.id, 'create')
  }

  /** `change`: of what is told; nothing where only what hangs on the object changed. */
  changed(id: Id, change: Partial<T> = {}): void {
    const known = this.#known.get(id)
    if (known) this.#known.set(id, { ...known, ...change })
    if (!this.#verbs.has(id)) this.#verbs.set(id, 'update')
  }

  /** Before it is removed. */
  async going(id: Id): Promise<void> {
    if (this.#verbs.get(id) === 'create') {
      this.#verbs.delete(id)
      return
    }
    if (!this.#known.has(id)) this.seen(await this.#of.get(id))
    this.#verbs.set(id, 'delete')
  }

  async changes(at: number): Promise<Change[]> {
    const changes: Change[] = []
    for (const [id, verb] of this.#verbs) {
      const object = this.#known.get(id) ?? (await this.#of.get(id))
      // Nothing is said of what is not there.
      if (object) changes.push(objectChange(`${this.#of.noun}.${verb}`, object, this.#of.dataOf(object), at))
    }
    return changes
  }
}

interface Table<Id extends string, T> {
  insert(object: T): Promise<void>
  get(id: Id): Promise<T | undefined>
  remove(id: Id): Promise<void>
}

/** What most tables have beside that. */
interface Changeable<Id extends string, C> {
  update(id: Id, change: C): Promise<void>
}

/** A change of an object, which is alike in most tables. */
export function recordedUpdate<Id extends string, T extends Owned<Id>, C extends Partial<T>>(
  table: Changeable<Id, C>,
  recorder: ObjectRecorder<Id, T>,
): Changeable<Id, C> {
  return {
    async update(id, change) {
      await table.update(id, change)
      recorder.changed(id, change)
    },
  }
}

/** The beginning and the end of an object, which are alike in all tables. */
export function recordedLife<Id extends string, T extends Owned<Id>>(
  table: Table<Id, T>,
  recorder: ObjectRecorder<Id, T>,
): Table<Id, T> {
  return {
    async insert(object) {
      await table.insert(object)
      recorder.created(object)
    },
    get: async (id) => recorder.seen(await table.get(id)),
    async remove(id) {
      await recorder.going(id)
      await table.remove(id)
    },
  }
}
