import type { ClientHttp2Session, ClientHttp2Stream, OutgoingHttpHeaders } from 'node:http2'
import type { Readable } from 'node:stream'
import { Fault, faultFrom } from '@gantry/kernel'
import type { HostId } from '@gantry/model'
import { type CallCheck, callNames, lineLimit } from './call-checks.ts'
import type { AgentCalls, CallIo, CallName, CallResult } from './calls.ts'
import { jsonLine } from './ndjson.ts'
import { problemOf } from './session-messages.ts'
import { promiseComplete, rawHeader, rawHeaders, StreamBody } from './stream-body.ts'

/**
 * The relay's end of the calls: each is one HTTP/2 request on the agent's session. `POST /call/<name>`, one JSON line of
 * arguments, then the raw input; 200 with one JSON line of reply, then the raw output; or 500 with a fault as JSON line.
 *
 * The caller keeps owning `input`: it is read with back-pressure and let go of, not destroyed, when the call is over (it
 * may be the very socket that the output still has to go out on). `headers` go with each.
 */
export function remoteCalls(
  hostId: HostId,
  session: ClientHttp2Session,
  checks: ReadonlyMap<string, CallCheck>,
  headers: OutgoingHttpHeaders = {},
): AgentCalls {
  const line = { hostId, session, checks, headers }
  const one = (name: CallName) => (args: unknown, io: CallIo) => call(line, name, args, io)
  return Object.fromEntries(callNames.map((name) => [name, one(name)])) as unknown as AgentCalls
}

interface Line {
  readonly hostId: HostId
  readonly session: ClientHttp2Session
  readonly checks: ReadonlyMap<string, CallCheck>
  readonly headers: OutgoingHttpHeaders
}

async function call(line: Line, name: CallName, args: unknown, io: CallIo): Promise<CallResult<CallName>> {
  const { hostId, session } = line
  const check = line.checks.get(name)
  if (!check?.args.Check(args)) {
    throw new Fault('request.invalid', { problem: `Call ${name}: ${check ? problemOf(check.args, args) : 'unknown'}.` })
  }
  io.signal.throwIfAborted()
  if (session.closed || session.destroyed) throw new Fault('host.unreachable', { host: hostId })

  const stream = session.request(
    { ':method': 'POST', ':path': `/call/${name}`, ...line.headers, ...(io.input && rawHeaders) },
    { waitForTrailers: io.input !== undefined },
  )
  const body = new StreamBody(stream, lineLimit, () => brokenCall(line, name, io.signal))
  const letGo = cancelWith(stream, io.signal)
  let status: number | undefined
  stream.once('response', (headers) => {
    status = headers[':status']
    if (headers[rawHeader] !== undefined) body.expectRaw()
  })
  const stopInput = sendArguments(stream, jsonLine(args), io.input)
  stream.once('close', letGo)

  const head = parsed(await body.head)
  if (status !== 200) {
    finish(stream, stopInput)
    throw faultFrom(head)
  }
  if (!check.reply.Check(head)) {
    finish(stream, stopInput)
    throw new Fault('engine.failed', {
      host: hostId,
      reason: `its agent answered ${name} wrongly: ${problemOf(check.reply, head)}`,
    })
  }
  const output = body.hasRaw ? body : null
  if (output) output.once('close', () => finish(stream, stopInput))
  else finish(stream, stopInput)
  return { reply: head, output } as CallResult<CallName>
}

/** What is not JSON fits no schema, and is no known fault. */
function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

/** Writes the line and starts the input; answers how to stop reading it. */
function sendArguments(stream: ClientHttp2Stream, line: string, input: Readable | undefined): () => void {
  if (!input) {
    stream.end(line)
    return () => {}
  }
  promiseComplete(stream)
  stream.write(line)
  const cancel = () => {
    if (!input.readableEnded) stream.destroy(new Error('the input broke off'))
  }
  input.once('error', cancel).once('close', cancel).pipe(stream)
  const stop = () => {
    input.off('error', cancel).off('close', cancel).unpipe(stream)
  }
  stream.once('close', stop)
  return stop
}

/** The answer is complete: input that nobody will read any more is cut off. */
function finish(stream: ClientHttp2Stream, stopInput: () => void): void {
  stopInput()
  if (!stream.writableEnded) stream.destroy()
}

function cancelWith(stream: ClientHttp2Stream, signal: AbortSignal): () => void {
  const cancel = () => stream.destroy(new Error('cancelled'))
  signal.addEventListener('abort', cancel, { once: true })
  return () => signal.removeEventListener('abort', cancel)
}

function brokenCall({ hostId, session }: Line, name: CallName, signal: AbortSignal): Error {
  if (signal.aborted) return signal.reason instanceof Error ? signal.reason : new Error('cancelled')
  if (session.closed || session.destroyed) return new Fault('host.unreachable', { host: hostId })
  return new Fault('host.broke-off', { host: hostId, call: name })
}
