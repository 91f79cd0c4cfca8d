import { setTimeout as sleep } from 'node:timers/promises'
import type { TLSSocket } from 'node:tls'
import { readRequest } from '@gantry/ca'
import { Fault, randomIds, reasonOf } from '@gantry/kernel'
import type { HostId } from '@gantry/model'
import type { Log } from './log.ts'
import { jsonLine, lines } from './ndjson.ts'
import { type Enrolled, type EnrolRequest, parseEnrolRequest } from './session-messages.ts'

const requestLimit = 64 * 1024
const patienceMs = 10_000

export interface EnrolPort {
  /** Spends a one-time token. Throws a `Fault` if it is unknown, used or too old. */
  readonly enrol: (tokenId: string, secret: string, hostname: string) => Promise<{ hostId: HostId; deployment: string }>
  readonly sign: (csr: string, hostId: HostId) => Promise<string>
  /** The CA's certificate, PEM. */
  readonly ca: string
  readonly log: Log
}

/** Serves one connection of a machine that wants to become a host: one line in, one line out. Never rejects. */
export async function serveEnrolment(port: EnrolPort, socket: TLSSocket): Promise<void> {
  const late = new AbortController()
  socket.once('close', () => late.abort())
  const cut = sleep(patienceMs, undefined, { signal: late.signal, ref: false }).then(() => socket.destroy())
  try {
    for await (const line of lines(socket, requestLimit)) {
      const answer = await enrolOne(port, line)
      await new Promise<void>((done) => socket.end(jsonLine(answer), done))
      return
    }
  } catch (error) {
    port.log.warn({ peer: socket.remoteAddress, reason: reasonOf(error) }, 'enrolment broke off')
  } finally {
    socket.destroy()
    await cut.catch(() => {})
  }
}

async function enrolOne({ enrol, sign, ca, log }: EnrolPort, line: string): Promise<Enrolled | object> {
  try {
    const request = parse(line)
    // Before the token is spent: a broken request must not cost the operator a token.
    await readRequest(request.csr)
    const { hostId, deployment } = await enrol(request.id, request.secret, request.hostname)
    const certificate = await sign(request.csr, hostId)
    log.info({ host: hostId, hostname: request.hostname, token: request.id }, 'host enrolled')
    return { kind: 'enrolled', hostId, deployment, certificate, ca } satisfies Enrolled
  } catch (error) {
    if (error instanceof Fault) {
      log.warn({ reason: error.message }, 'enrolment refused')
      return { kind: 'fault', fault: error.toJSON() }
    }
    const reference = randomIds.hex(6)
    log.error({ reference, err: error }, 'enrolment failed')
    return { kind: 'fault', fault: new Fault('internal', { reference }).toJSON() }
  }
}

function parse(line: string): EnrolRequest {
  try {
    return parseEnrolRequest(line)
  } catch (error) {
    throw new Fault('request.invalid', { problem: `The enrolment is not well-formed: ${reasonOf(error)}.` }, error)
  }
}
