import { baseUrl } from '@gantry/http'
import { Fault } from '@gantry/kernel'
import type { FastifyRequest } from 'fastify'
import type { Params, Query } from './schemas.ts'
import type { Site } from './translate.ts'

export function siteOf(request: FastifyRequest, prefix: string): Site {
  const base = baseUrl(request)
  return { base, api: `${base}${prefix}/v3` }
}

/** The path below `/v3/`, with the query, as a list's own link repeats it. */
export function pathOf(request: FastifyRequest, prefix: string): string {
  return request.url.slice(`${prefix}/v3/`.length)
}

/** A path parameter that the route declares. */
export function param(request: FastifyRequest, name: string): string {
  const value = (request.params as Params)[name]
  if (value === undefined) throw new Fault('request.invalid', { problem: `The path lacks ${name}.` })
  return value
}

/** The first value of a query parameter; an empty one counts as absent. */
export function query(request: FastifyRequest, name: string): string | undefined {
  const value = (request.query as Query)[name]
  const first = Array.isArray(value) ? value[0] : value
  return first === '' ? undefined : first
}

/** Keystone's reading of a flag: there, and not `0` or `false`. */
export function flag(request: FastifyRequest, name: string): boolean | undefined {
  const value = (request.query as Query)[name]
  const first = Array.isArray(value) ? value[0] : value
  return first === undefined ? undefined : !['0', 'false'].includes(first.toLowerCase())
}

type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

/** Leaves out what is undefined. */
export function given<T extends object>(values: T): Given<T> {
  const kept: Given<T> = {}
  for (const key of Object.keys(values) as (keyof T)[]) {
    const value = values[key]
    if (value !== undefined) kept[key] = value as Exclude<T[keyof T], undefined>
  }
  return kept
}
