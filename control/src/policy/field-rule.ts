import { Fault } from '@gantry/kernel'
import { canonicalFields, isNothing } from './canonical.ts'

export type Json = Readonly<Record<string, unknown>>

/** Something in a value that could reach the host or another tenant. */
export interface Danger {
  /** As it is told: the field, and which of its values. */
  readonly field: string
  /** Why not; fits behind "not allowed by this service:". */
  readonly reason: string
  /** Words of a policy file, each of which lifts it; none: nothing does. */
  readonly lifts: readonly string[]
  /** The dangerous element of a list, or entry of a map (`key`); absent: the whole value. */
  readonly part?: unknown
  readonly key?: string
}

/**
 * What is dangerous in `value`, which says something. `around`: the object it stands in. Throws `request.invalid` for a
 * value of the wrong form, which must not be taken for a harmless one.
 */
export type Check = (value: unknown, around: Json) => readonly Danger[]

export interface FieldRule {
  /**
   * allowed: as it is asked for. confined: within bounds, or only of one's own project. refused: unless the operator grants
   * it. ignored: it means nothing here, and asking for it does no harm.
   */
  readonly verdict: 'allowed' | 'confined' | 'refused' | 'ignored'
  /** A sentence without its full stop. */
  readonly why: string
  /** Words that lift what is refused, as they are shown; empty: nothing lifts it. */
  readonly lifts: readonly string[]
  readonly check: Check
  /** An empty list says something here. */
  readonly emptyCounts?: boolean
}

export type FieldRules = Readonly<Record<string, FieldRule>>

export const allowed = (why: string): FieldRule => ({ verdict: 'allowed', why, lifts: [], check: () => [] })
export const ignored = (why: string): FieldRule => ({ verdict: 'ignored', why, lifts: [], check: () => [] })
export const confined = (why: string, check: Check = () => [], lifts: readonly string[] = []): FieldRule => ({
  verdict: 'confined',
  why,
  lifts,
  check,
})

/** Every value but those named is refused. `lifts`: words that lift it. */
export function refused(
  field: string,
  why: string,
  { lifts = [], harmless = [] }: { readonly lifts?: readonly string[]; readonly harmless?: readonly unknown[] } = {},
): FieldRule {
  const check: Check = (value) => (harmless.includes(value) ? [] : [{ field, reason: lowered(why), lifts }])
  return { verdict: 'refused', why, lifts, check }
}

/** Refused by a check of its own. */
export function refusedBy(why: string, check: Check, lifts: readonly string[] = []): FieldRule {
  return { verdict: 'refused', why, lifts, check }
}

export function invalid(problem: string): Fault {
  return new Fault('request.invalid', { problem })
}

export function listOf(field: string, value: unknown): readonly unknown[] {
  if (isNothing(value)) return []
  if (Array.isArray(value)) return value
  throw invalid(`${field} must be a list.`)
}

export function stringsOf(field: string, value: unknown): readonly string[] {
  return listOf(field, value).map((each) => {
    if (typeof each !== 'string') throw invalid(`${field} must be a list of strings.`)
    return each
  })
}

export function mapOf(field: string, value: unknown): Json {
  if (isNothing(value)) return {}
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return Object.fromEntries(Object.entries(value))
  throw invalid(`${field} must be an object.`)
}

/** An object of the API, its fields in the API's spelling. */
export function fieldsOf(field: string, names: Iterable<string>, value: unknown): Json {
  return canonicalFields(names, mapOf(field, value))
}

export function textOf(field: string, value: unknown): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'string') return value
  throw invalid(`${field} must be a string.`)
}

/** 0 for what was not said. */
export function numberOf(field: string, value: unknown): number {
  if (value === null || value === undefined) return 0
  if (typeof value === 'number' && Number.isFinite(value)) return value
  throw invalid(`${field} must be a number.`)
}

function lowered(sentence: string): string {
  return /^[A-Z][a-z]/.test(sentence) ? sentence.charAt(0).toLowerCase() + sentence.slice(1) : sentence
}
