import type { FastifyRequest } from 'fastify'
import { Refusal, schemaError } from './errors.ts'

/** An action's arguments by name: from the query (zunclient) and from a JSON body (others), the query winning. */
export type Arguments = Readonly<Record<string, unknown>>

export function argumentsOf(request: FastifyRequest): Arguments {
  const body = request.body
  if (body !== undefined && body !== null && (typeof body !== 'object' || Array.isArray(body))) {
    throw schemaError('The request body must be a JSON object.')
  }
  return { ...(body as Record<string, unknown> | null | undefined), ...queryOf(request) }
}

/** The query; of a parameter given twice the last one counts. */
export function queryOf(request: FastifyRequest): Record<string, unknown> {
  const query = Object.entries(request.query as Record<string, unknown>)
  return Object.fromEntries(query.map(([key, value]) => [key, Array.isArray(value) ? value.at(-1) : value]))
}

/** undefined when absent, null, empty, or the literal `None` that Python clients send. */
export function text(args: Arguments, name: string, maxLength = 4096): string | undefined {
  const value = given(args, name)
  if (value === undefined) return undefined
  if (typeof value !== 'string' && typeof value !== 'number') throw badArgument(name, 'a string')
  const string = String(value)
  if (string.length > maxLength) throw badArgument(name, `a string of at most ${maxLength} characters`)
  if (string.includes('\0')) throw badArgument(name, 'a string without NUL characters')
  return string
}

export function requiredText(args: Arguments, name: string, maxLength?: number): string {
  const value = text(args, name, maxLength)
  if (value === undefined) throw schemaError(`The argument ${name} is required.`)
  return value
}

/** A whole number in a range; digits as a string are as good. */
export function integer(args: Arguments, name: string, min: number, max = 2 ** 31 - 1): number | undefined {
  const value = given(args, name)
  if (value === undefined) return undefined
  const number = typeof value === 'string' && /^\d{1,10}$/.test(value) ? Number(value) : value
  if (typeof number !== 'number' || !Number.isInteger(number) || number < min || number > max) {
    throw badArgument(name, `a whole number from ${min} to ${max}`)
  }
  return number
}

export function flag(args: Arguments, name: string, otherwise: boolean): boolean {
  const value = given(args, name)
  if (value === undefined) return otherwise
  const parsed = parseBoolean(value)
  if (parsed === undefined) throw new Refusal(400, 'invalid-value', badArgument(name, 'true or false').message)
  return parsed
}

/** The spellings OpenStack's services take; undefined for anything else. */
export function parseBoolean(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value
  const word = typeof value === 'string' || typeof value === 'number' ? String(value).toLowerCase() : ''
  if (['true', '1', 't', 'yes', 'y', 'on'].includes(word)) return true
  if (['false', '0', 'f', 'no', 'n', 'off'].includes(word)) return false
  return undefined
}

function given(args: Arguments, name: string): unknown {
  const value = Object.hasOwn(args, name) ? args[name] : undefined
  return value === null || value === '' || value === 'None' ? undefined : value
}

function badArgument(name: string, expected: string): Refusal {
  return schemaError(`Invalid input for argument ${name}: it must be ${expected}.`)
}
