import type { Repository } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { RegistryAction } from './paths.ts'

/** Who asks, once that is known, and what she may use. */
export interface Visitor {
  /** Throws `auth.required` when what she shows is not for this. */
  repository(name: string, action: RegistryAction): Repository
  /** Whether it may be used what is in that repository; null: in any that she sees. */
  mayTakeFrom(name: string | null): boolean
}

/** Finds out who asks before anything of a request is read. Throws `auth.required`. */
export type Welcome = (request: FastifyRequest, reply: FastifyReply) => Promise<Visitor>

const visitors = new WeakMap<FastifyRequest, Visitor>()

export function noteVisitor(request: FastifyRequest, visitor: Visitor): void {
  visitors.set(request, visitor)
}

export function visitorOf(request: FastifyRequest): Visitor {
  const visitor = visitors.get(request)
  if (!visitor) throw new Fault('auth.required', { reason: 'the request carries none' })
  return visitor
}
