import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { schemaError } from './errors.ts'

/** What one field of a body must be. */
export interface FieldRule {
  readonly schema: TSchema
  /** Completes the sentence "it must be …". */
  readonly expected: string
  /** What a schema says badly, such as the range of a number that may be written as a string. */
  readonly also?: (value: unknown) => boolean
  /** The first microversion (1.`from`) whose schema knows the field; before it is an unknown field. */
  readonly from?: number
  /** The last one. */
  readonly until?: number
}

/** One field may have several rules for different microversions. */
export type BodyRules = Readonly<Record<string, FieldRule | readonly FieldRule[]>>

export type BodyCheck = (body: unknown, minor: number) => Record<string, unknown>

/**
 * Builds the check of a closed JSON object: unknown fields, wrong types and values out of range are 400 refusals that name
 * the field and what it must be. Gives the body back unchanged.
 */
export function bodyCheck(rules: BodyRules, required: readonly string[] = []): BodyCheck {
  const checks = new Map(Object.entries(rules).map(([name, given]) => [name, [given].flat().map(compiled)]))
  return (body, minor) => {
    if (typeof body !== 'object' || body === null || Array.isArray(body)) {
      throw schemaError('The request body must be a JSON object.')
    }
    const missing = required.find((name) => !Object.hasOwn(body, name))
    if (missing !== undefined) throw schemaError(`The field '${missing}' is required.`)
    for (const [name, value] of Object.entries(body)) {
      const rule = checks.get(name)?.find(({ from = 0, until = 99 }) => minor >= from && minor <= until)
      if (!rule) throw schemaError(`Additional properties are not allowed ('${shortened(name)}' was unexpected).`)
      if (!rule.check(value)) throw schemaError(`Invalid input for field '${name}': it must be ${rule.expected}.`)
    }
    return body as Record<string, unknown>
  }
}

function compiled(rule: FieldRule): FieldRule & { check: (value: unknown) => boolean } {
  const schema = Compile(rule.schema)
  return { ...rule, check: (value) => schema.Check(value) && (rule.also?.(value) ?? true) }
}

/** A hostile field name may be as long as the body. */
function shortened(name: string): string {
  return name.length <= 80 ? name : `${name.slice(0, 80)}…`
}
