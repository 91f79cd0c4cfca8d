import { type Clock, reasonOf } from '@gantry/kernel'
import type { Caller } from '@gantry/model'
import type { Log } from '../ports/log.ts'
import type { Store } from '../ports/store.ts'
import { objectChange } from './change-of.ts'
import type { Owned, Verb } from './object-recorder.ts'

export interface TellParts {
  readonly store: Pick<Store, 'changes'>
  readonly clock: Clock
  readonly log: Log
}

/** Writes down what a caller had another service do. What is done there cannot be undone, so it rejects with nothing. */
export type Tell<T> = (caller: Caller, verb: Verb, object: T) => Promise<void>

export function tellerOf<T extends Owned>(
  { store, clock, log }: TellParts,
  noun: string,
  dataOf: (object: T) => Readonly<Record<string, unknown>>,
): Tell<T> {
  return async ({ userId, requestId }, verb, object) => {
    const change = objectChange(`${noun}.${verb}`, object, dataOf(object), clock.now())
    await store.changes.add([{ ...change, userId, requestId }]).catch((error: unknown) => {
      const fields = { type: change.type, id: object.id, reason: reasonOf(error) }
      log.warn(fields, 'what was done at another service could not be written down as a change')
    })
  }
}

/** What can be looked at and removed. */
export interface Kept<T> {
  get(caller: Caller, ref: string): Promise<T>
  delete(caller: Caller, ref: string): Promise<void>
}

/** A verb that answers what it made or changed, and then tells of it. */
export function told<T, A extends readonly unknown[]>(
  tell: Tell<T>,
  verb: Verb,
  call: (caller: Caller, ...args: A) => Promise<T>,
): (caller: Caller, ...args: A) => Promise<T> {
  return async (caller, ...args) => {
    const object = await call(caller, ...args)
    await tell(caller, verb, object)
    return object
  }
}

/** A verb that removes: what it was is looked up before. */
export function toldRemoval<T>(tell: Tell<T>, kept: Kept<T>): (caller: Caller, ref: string) => Promise<void> {
  return async (caller, ref) => {
    const before = await kept.get(caller, ref)
    await kept.delete(caller, ref)
    await tell(caller, 'delete', before)
  }
}

/** A verb that changes what hangs on an object. That this cannot be looked at afterwards is no failure of the verb. */
export function toldOf<T, R, A extends readonly unknown[]>(
  tell: Tell<T>,
  kept: Pick<Kept<T>, 'get'>,
  call: (caller: Caller, ref: string, ...args: A) => Promise<R>,
): (caller: Caller, ref: string, ...args: A) => Promise<R> {
  return async (caller, ref, ...args) => {
    const answer = await call(caller, ref, ...args)
    const object = await kept.get(caller, ref).catch(() => null)
    if (object !== null) await tell(caller, 'update', object)
    return answer
  }
}
