import type { ClientCertificates, Control } from '@gantry/control'
import type { TypeBoxProvider } from '@gantry/http'
import type { Caller, ProjectId } from '@gantry/model'
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify'
import Type from 'typebox'

/** The instance routes hang on, with handlers typed by their schemas. */
export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxProvider
>

export interface JoinToken {
  readonly token: string
  /** Epoch milliseconds. */
  readonly expiresAt: number
}

export interface NativeContext {
  readonly control: Control
  /** Makes a one-time token with which an agent may join. Called for administrators only. */
  readonly createJoinToken: (caller: Caller) => Promise<JoinToken>
  readonly certificates: ClientCertificates
  /** Where the Docker API listens, as origins; the host may stand for every address. */
  readonly dockerPorts: () => { readonly url: string; readonly tlsUrl: string; readonly ca: string }
  /** A project by id or by name. Throws `identity.not-found`. */
  readonly projectOf: (ref: string) => Promise<ProjectId>
  /** Milliseconds between comments on a quiet event stream. */
  readonly heartbeatMs: number
}

export const Ref = Type.Object({
  ref: Type.String({ minLength: 1, maxLength: 255, description: 'Its id or its name.' }),
})
export const Id = Type.Object({ id: Type.String({ minLength: 1, maxLength: 255 }) })
