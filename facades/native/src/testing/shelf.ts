import { Fault, type FaultCode } from '@gantry/kernel'
import type { Caller } from '@gantry/model'

interface Owned {
  readonly id: string
  readonly projectId: string
}

/** Objects of one type in memory, found by id or by what `namesOf` says, in the caller's own project. */
export class Shelf<T extends Owned> {
  readonly #things = new Map<string, T>()
  readonly #type: string
  readonly #code: FaultCode
  readonly #namesOf: (thing: T) => readonly string[]
  readonly #isShared: (thing: T) => boolean

  constructor(
    type: string,
    code: FaultCode,
    namesOf: (thing: T) => readonly string[],
    isShared: (thing: T) => boolean = () => false,
  ) {
    this.#type = type
    this.#code = code
    this.#namesOf = namesOf
    this.#isShared = isShared
  }

  add(thing: T): T {
    this.#things.set(thing.id, thing)
    return thing
  }

  list(caller: Caller, allProjects = false): T[] {
    return this.all().filter((one) => {
      return (allProjects && caller.isAdmin) || one.projectId === caller.projectId || this.#isShared(one)
    })
  }

  all(): T[] {
    return [...this.#things.values()]
  }

  find(caller: Caller, ref: string): T {
    const found = this.list(caller, true).find((one) => one.id === ref || this.#namesOf(one).includes(ref))
    if (!found) throw new Fault(this.#code, { type: this.#type, ref })
    return found
  }

  change(caller: Caller, ref: string, change: Partial<T>): T {
    return this.add({ ...this.find(caller, ref), ...change })
  }

  remove(caller: Caller, ref: string): T {
    const found = this.find(caller, ref)
    this.#things.delete(found.id)
    return found
  }
}
