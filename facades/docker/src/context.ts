import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Control, RegistryLogin } from '@gantry/control'
import type { Clock } from '@gantry/kernel'
import type { Caller, Container, RequestId } from '@gantry/model'
import type { FastifyRequest } from 'fastify'

/** A request as far as it tells who sends it. */
export interface Asking {
  readonly headers: IncomingHttpHeaders
  readonly socket: Socket
  /** With path and query. */
  readonly url?: string | undefined
}

export interface Identity {
  readonly caller: Caller
  /** The same for every request that was shown the same credential, and useless to anybody else. */
  readonly credential: string
  /** Whether whoever logged in may still be served: an old token may have expired, but must not have been revoked. */
  stillGranted(): Promise<boolean>
}

/** Throws `auth.required` and the like, for an answer 401. */
export type Identify = (request: Asking, requestId: RequestId) => Promise<Identity>

/** Ends open streams whose credential was revoked. */
export interface StreamGuard {
  /** Calls `end` once when it must; the returned function lets go. */
  watch(identity: Identity, end: (reason: Error) => void): () => void
}

/** Checks a login at our own registry; false: it is for another one. Throws what logging in throws. */
export type LogInHere = (login: NonNullable<RegistryLogin>, request: Asking, requestId: RequestId) => Promise<boolean>

export interface DockerOptions {
  readonly control: Control
  readonly identify: Identify
  readonly logInHere: LogInHere
  readonly guard: StreamGuard
  readonly clock: Clock
  readonly ids: { uuid(): string }
}

/** What routes work with. */
export interface DockerContext {
  readonly control: Control
  readonly clock: Clock
  readonly guard: StreamGuard
  /** Never an administrator: here everybody sees her own project. */
  callerOf(request: FastifyRequest): Caller
  identityOf(request: FastifyRequest): Identity
  /** See `LogInHere`. */
  logInHere(login: NonNullable<RegistryLogin>, request: FastifyRequest): Promise<boolean>
  /** 24 to 44. */
  versionOf(request: FastifyRequest): number
  /** By id, name (with or without a slash before it) or unambiguous beginning of an id. */
  find(caller: Caller, ref: string): Promise<Container>
  /** Identifies a request that left HTTP, as `callerOf` does. */
  identify(request: IncomingMessage): Promise<Identity>
}
