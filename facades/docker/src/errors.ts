import { statusOfKind } from '@gantry/http'
import { Fault, type FaultCode, type FaultDetails } from '@gantry/kernel'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'

/** A refusal in the Engine API's own words, where clients know them. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

export interface Answer {
  readonly status: number
  readonly message: string
}

type Wording = (details: FaultDetails, fault: Fault) => Answer

/** Clients match on these sentences, and scripts do. */
const wordings: Partial<Record<FaultCode, Wording>> = {
  'container.not-found': ({ ref }) => ({ status: 404, message: `No such container: ${ref}` }),
  'container.state': ({ ref, status }) => ({
    status: 409,
    message:
      String(status).toLowerCase() === 'paused' ? `Container ${ref} is paused` : `Container ${ref} is not running`,
  }),
  'container.exec-not-found': ({ exec }) => ({ status: 404, message: `No such exec instance: ${exec}` }),
  'container.path-not-found': ({ path, ref }) => ({
    status: 404,
    message: `Could not find the file ${path} in container ${ref}`,
  }),
  'image.not-found': ({ image }) => ({ status: 404, message: `No such image: ${image}` }),
  'registry.unreachable': ({ reason }) => ({ status: 500, message: String(reason) }),
  'port.allocated': ({ ref, port, address }) => ({
    status: 500,
    message: `driver failed programming external connectivity on endpoint ${ref}: Bind for ${address}:${port} failed: port is already allocated`,
  }),
  'network.name-taken': ({ name }) => ({ status: 409, message: `network with name ${name} already exists` }),
  'network.overlap': () => ({ status: 403, message: 'Pool overlaps with other one on this address space' }),
  'network.attached': ({ ref, network }) => ({
    status: 403,
    message: `endpoint with name ${ref} already exists in network ${network}`,
  }),
  'network.not-attached': ({ ref, network }) => ({
    status: 403,
    message: `container ${ref} is not connected to network ${network}`,
  }),
  'address.in-use': () => ({ status: 403, message: 'Address already in use' }),
  'address.none-left': ({ subnet }) => ({ status: 403, message: `no available IPv4 addresses on ${subnet}` }),
  'network.not-found': ({ ref }) => ({ status: 404, message: `network ${ref} not found` }),
  'volume.not-found': ({ ref }) => ({ status: 404, message: `get ${ref}: no such volume` }),
  'request.no-route': () => ({ status: 404, message: 'page not found' }),
}

/** What a client is told about anything thrown. The cause of what it cannot help stays in the log. */
export function answerTo(error: unknown): Answer {
  if (error instanceof Refusal) return { status: error.status, message: error.message }
  if (error instanceof Fault) {
    const wording = wordings[error.code]
    return wording ? wording(error.details, error) : { status: statusOfKind[error.kind], message: error.message }
  }
  const { statusCode, message } = error as Partial<FastifyError>
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return { status: statusCode, message: message ?? 'bad request' }
  }
  return { status: 500, message: 'An internal error occurred; the log of the server has the details.' }
}

export function dockerErrors(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { status, message } = answerTo(error)
  if (status >= 500 && !(error instanceof Refusal)) request.log.error({ err: error }, 'request failed')
  return reply.code(status).header('content-type', 'application/json').send({ message })
}
