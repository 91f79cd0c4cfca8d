import type { TSchema } from 'typebox'
import { Compile, type Validator } from 'typebox/compile'
import { type CallName, calls } from './calls.ts'

export interface CallCheck {
  readonly args: Validator
  readonly reply: Validator
}

/** Longest first line of a call, both ways. Bytes. The longest are the lists of images and of processes. */
export const lineLimit = 8 * 1024 * 1024

export const callNames = Object.keys(calls) as CallName[]

/** The checks of every call, compiled once per end rather than once per call. */
export function compileCalls(): ReadonlyMap<string, CallCheck> {
  const check = (schema: TSchema) => Compile<TSchema>(schema)
  return new Map(callNames.map((name) => [name, { args: check(calls[name].args), reply: check(calls[name].reply) }]))
}
