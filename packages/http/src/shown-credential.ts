import type { IncomingHttpHeaders } from 'node:http'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { Fault } from '@gantry/kernel'
import type { ShownCredential } from '@gantry/model'

/** A request before or after Fastify has seen it: connections that leave HTTP have only Node's own. */
export interface ShowingRequest {
  readonly headers: IncomingHttpHeaders
  readonly socket: Socket
}

/**
 * How a client that cannot log in says who it is: a verified client certificate of the organizational unit `unit`, else
 * an application credential or a token in headers. A certificate decides by itself, so that one with a stale token beside
 * it goes on working; the project header must fit in any case. Throws `auth.required` when there is nothing, or half.
 */
export function shownCredential({ headers, socket }: ShowingRequest, unit: string): ShownCredential {
  const project = headerOf(headers, 'x-auth-project-id')
  const serial = serialOf(socket, unit)
  if (serial !== null) return { kind: 'certificate', serial, project }
  const id = headerOf(headers, 'x-auth-application-credential-id')
  const secret = headerOf(headers, 'x-auth-application-credential-secret')
  if (id !== null && secret !== null) return { kind: 'application-credential', id, secret, project }
  if (id !== null || secret !== null) {
    throw required(
      'X-Auth-Application-Credential-Id and X-Auth-Application-Credential-Secret go together, and one is missing',
    )
  }
  const token = headerOf(headers, 'x-auth-token')
  if (token === null) throw required(nothingShown(socket))
  if (project === null) throw required('X-Auth-Project-Id is missing; it must name the project of the token')
  return { kind: 'token', token, project }
}

function nothingShown(socket: Socket): string {
  if (socket instanceof TLSSocket && socket.getPeerX509Certificate()) {
    return 'the client certificate is not one of a user of this cloud, or has ended; `gantry docker-env --tls` makes one'
  }
  return 'X-Auth-Token and X-Auth-Project-Id are missing; `gantry docker-env` sets them for docker'
}

/** null for no certificate and for one that is not ours, has ended, or is an agent's. */
function serialOf(socket: Socket, unit: string): string | null {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return null
  const certificate = socket.getPeerX509Certificate()
  if (!certificate?.subject.split('\n').includes(`OU=${unit}`)) return null
  return certificate.serialNumber.toUpperCase()
}

function headerOf(headers: IncomingHttpHeaders, name: string): string | null {
  const value = headers[name]
  return typeof value === 'string' && value !== '' ? value : null
}

function required(reason: string): Fault {
  return new Fault('auth.required', { reason })
}
