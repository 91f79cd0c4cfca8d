import { once } from 'node:events'
import { createRequest, fingerprintOf } from '@gantry/ca'
import { Fault, faultFrom } from '@gantry/kernel'
import type { Credentials } from './credentials.ts'
import { type Dial, dialTls } from './dial.ts'
import { type JoinToken, parseJoinToken } from './join-token.ts'
import { jsonLine, lines } from './ndjson.ts'
import { protocols } from './protocols.ts'
import { parseEnrolAnswer } from './session-messages.ts'

const answerLimit = 256 * 1024
const patienceMs = 30_000

export interface EnrolOptions {
  readonly dial: Dial
  /** The text of a join token. */
  readonly token: string
  readonly hostname: string
  readonly signal?: AbortSignal
}

/**
 * Makes this machine a host: spends the token for a certificate. Throws `agent.wrong-server` before the secret is sent if
 * the server does not hold the CA that the token pins, and the server's own fault if it refuses the token.
 */
export async function enrol({ dial, token, hostname, signal }: EnrolOptions): Promise<Credentials> {
  const join = parseJoinToken(token)
  const until = AbortSignal.any([AbortSignal.timeout(patienceMs), ...(signal ? [signal] : [])])
  const ca = await pinnedCa(dial, join, until)
  const { key, csr } = await createRequest(hostname)
  const socket = await dialTls(dial, protocols.enrol, { ca, rejectUnauthorized: true }, until).catch(
    (error: unknown) => {
      throw wrongServer(error)
    },
  )
  const stop = () => socket.destroy(new Error('the server did not answer in time'))
  until.addEventListener('abort', stop, { once: true })
  try {
    socket.write(jsonLine({ id: join.id, secret: join.secret, csr, hostname }))
    for await (const line of lines(socket, answerLimit)) {
      const answer = parseEnrolAnswer(line)
      if (answer.kind === 'fault') throw faultFrom(answer.fault)
      return { hostId: answer.hostId, deployment: answer.deployment, certificate: answer.certificate, key, ca }
    }
    throw new Error('the server closed the connection without an answer')
  } finally {
    until.removeEventListener('abort', stop)
    socket.destroy()
  }
}

/**
 * Fetches the CA's certificate from whoever answers, and keeps it only if it is the pinned one. Nothing else is believed of
 * this connection; the next one is verified by TLS against that certificate.
 */
async function pinnedCa(dial: Dial, { fingerprint }: JoinToken, signal: AbortSignal): Promise<string> {
  const socket = await dialTls(dial, protocols.enrol, { rejectUnauthorized: false }, signal)
  try {
    let certificate = socket.getPeerX509Certificate()
    for (let depth = 0; certificate && depth < 4; depth += 1) {
      if (fingerprintOf(certificate.raw) === fingerprint) return certificate.toString()
      certificate = certificate.issuerCertificate
    }
    throw wrongServer()
  } finally {
    socket.destroy()
    if (!socket.closed) await once(socket, 'close')
  }
}

function wrongServer(cause?: unknown): Fault {
  return new Fault('agent.wrong-server', {}, cause)
}
