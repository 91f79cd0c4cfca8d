import type { Control } from '@gantry/control'
import { baseUrl, callerOf } from '@gantry/http'
import type { Clock } from '@gantry/kernel'
import type { Container } from '@gantry/model'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { toWire, type View } from './translate.ts'

/** What every room of routes gets. */
export interface Zun {
  readonly control: Control
  readonly clock: Clock
  /** `/container`: where the façade hangs. */
  readonly prefix: string
}

/** `http://host:port/container`, as the client wrote it. */
export function baseOf(zun: Zun, request: FastifyRequest): string {
  return `${baseUrl(request)}${zun.prefix}`
}

/** How this caller sees one container. */
export function viewOf(zun: Zun, request: FastifyRequest): View {
  return { admin: callerOf(request).isAdmin, now: zun.clock.now(), base: baseOf(zun, request) }
}

export function shown(zun: Zun, request: FastifyRequest, container: Container): object {
  return toWire(container, viewOf(zun, request))
}

/** The `{ref}` of a path: an id or a name. */
export function refOf(request: FastifyRequest): string {
  return (request.params as { ref: string }).ref
}

/** Zun's reply without content: the JSON body `null`. */
export function sendNull(reply: FastifyReply, status: number): FastifyReply {
  return reply.code(status).type('application/json').send('null')
}
