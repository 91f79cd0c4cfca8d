import type { Static, TSchema } from 'typebox'
import { Compile, type Validator } from 'typebox/compile'

/** The value in a document, or what is wrong with it. */
export type Reading<T> = { readonly value: T } | { readonly problem: string }

/** Checks what a service answered against a schema; what it says beyond that is kept. */
export interface Reader<T> {
  read(document: unknown): Reading<T>
}

export function reader<S extends TSchema>(schema: S): Reader<Static<S>> {
  // At the first answer that needs it: most calls of most processes are never made.
  let check: Validator | undefined
  return {
    read(document) {
      check ??= Compile<TSchema>(schema)
      if (check.Check(document)) return { value: document as Static<S> }
      const [first] = check.Errors(document)
      return { problem: first ? `${first.instancePath || 'the answer'} ${first.message}` : 'it has another form' }
    },
  }
}

/** Of a document `{key: …}`. */
export function within<T>(key: string, inner: Reader<T>): Reader<T> {
  return {
    read(document) {
      const value = (document as Record<string, unknown> | null)?.[key]
      return value === undefined ? { problem: `it has no "${key}"` } : inner.read(value)
    },
  }
}
