import { Fault } from '@gantry/kernel'
import Type, { type TOptional, type TUnsafe } from 'typebox'
import { exact, noNul } from './fields.ts'

export { isYes } from '@gantry/http'

type Text = TOptional<TUnsafe<string>>

const spellings = ['true', 'false', '1', '0', '']

/** An optional yes or no in a query; `?follow` alone means yes. */
export function flag(description: string): Text {
  return Type.Optional(Type.Unsafe<string>({ type: 'string', enum: spellings, description }))
}

/** An optional whole number of at most nine digits in a query. */
export function whole(description: string): Text {
  return Type.Optional(Type.Unsafe<string>({ type: 'string', pattern: '^[0-9]{1,9}$', description }))
}

export function text(description: string, maxLength = 255): Text {
  return Type.Optional(Type.Unsafe<string>({ type: 'string', pattern: noNul, minLength: 1, maxLength, description }))
}

export function oneOf(values: readonly string[], description: string): Text {
  return Type.Optional(Type.Unsafe<string>({ type: 'string', enum: [...values], description }))
}

export function wholeOf(value: string | undefined, otherwise: number): number {
  return value === undefined ? otherwise : Number(value)
}

/** A whole number within bounds; throws `request.invalid` naming the parameter. */
export function bounded(
  name: string,
  value: string | undefined,
  otherwise: number,
  [min, max]: [number, number],
): number {
  const number = wholeOf(value, otherwise)
  if (number >= min && number <= max) return number
  throw new Fault('request.invalid', { problem: `${name} must be between ${min} and ${max}.` })
}

export const Nothing = Type.Object({}, exact)
/** Of what leaves a host. */
export const Lost = { lost: flag('Its host is known not to run any more: it is not waited for.') }
export const AllProjects = Type.Object({ allProjects: flag('Every project; administrators only.') }, exact)
