import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Refusal } from './errors.ts'

const minMinor = 1
const maxMinor = 40
export const minVersion = `1.${minMinor}`
export const maxVersion = `1.${maxMinor}`

const headerName = 'openstack-api-version'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The microversions 1.`since` … 1.`until` in which a Zun route exists; both ends included, each optional. */
    zun?: { readonly since?: number; readonly until?: number }
  }
}

/**
 * The minor number that `OpenStack-API-Version` asks for. Without the header it is the oldest one, not the newest.
 * Throws a 406 refusal on bad syntax, another service's name alone, or a version out of range.
 */
export function parseMicroversion(header: string | undefined): number {
  if (header === undefined) return minMinor
  // Several services may share the header, comma separated; the last word for ours counts.
  const ours = header
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part.startsWith('container '))
    .at(-1)
  if (ours === undefined) throw notAcceptable(`"${header}" names no version of this service (container X.Y).`)
  const asked = ours.slice('container '.length).trim()
  if (asked.toLowerCase() === 'latest') return maxMinor
  const match = /^(\d{1,6})\.(\d{1,6})$/.exec(asked)
  if (!match) throw notAcceptable(`"${asked}" is not a version; write "container X.Y" or "container latest".`)
  const minor = Number(match[2])
  if (Number(match[1]) !== 1 || minor < minMinor || minor > maxMinor) {
    throw new Refusal(
      406,
      '',
      `Version ${asked} is not supported; the lowest is ${minVersion} and the highest ${maxVersion}.`,
      { max_version: maxVersion, min_version: minVersion },
    )
  }
  return minor
}

/** The minor number of a request that has passed `checkMicroversion`. */
export function minorOf(request: FastifyRequest): number {
  return parseMicroversion(headerOf(request))
}

/** Puts the four version headers on a reply; a version that cannot be served is answered with the oldest one's number. */
export function announceMicroversion(request: FastifyRequest, reply: FastifyReply): void {
  let minor = minMinor
  try {
    minor = minorOf(request)
  } catch {
    // The refusal itself is thrown where the version matters.
  }
  reply.header('openstack-api-version', `container 1.${minor}`)
  reply.header('openstack-api-minimum-version', `container ${minVersion}`)
  reply.header('openstack-api-maximum-version', `container ${maxVersion}`)
  reply.header('vary', 'OpenStack-API-Version')
}

/** Refuses bad versions, and routes that the asked version does not have. */
export function checkMicroversion(app: FastifyInstance): void {
  app.addHook('onRequest', async (request) => {
    const minor = minorOf(request)
    const { since = minMinor, until = maxMinor } = request.routeOptions.config.zun ?? {}
    if (minor < since || minor > until) {
      throw notAcceptable(`This action exists in versions 1.${since} to 1.${until}; version 1.${minor} was asked for.`)
    }
  })
}

/** 400 for a field or argument that the asked version does not know yet. */
export function requireMinor(minor: number, since: number, param: string): void {
  if (minor >= since) return
  const text = `Invalid param ${param} because current request version is 1.${minor}; ${param} needs 1.${since} or above.`
  throw new Refusal(400, 'invalid-param-in-version', text)
}

function headerOf(request: FastifyRequest): string | undefined {
  const value = request.headers[headerName]
  return Array.isArray(value) ? value.join(',') : value
}

function notAcceptable(text: string): Refusal {
  return new Refusal(406, '', text)
}
