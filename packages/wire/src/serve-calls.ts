import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import { pipeline } from 'node:stream/promises'
import { Fault, randomIds, reasonOf } from '@gantry/kernel'
import { type CallCheck, lineLimit } from './call-checks.ts'
import type { AgentCalls, CallIo, CallName, CallResult } from './calls.ts'
import type { Log } from './log.ts'
import { jsonLine } from './ndjson.ts'
import { problemOf } from './session-messages.ts'
import { promiseComplete, rawHeader, rawHeaders, StreamBody } from './stream-body.ts'

export const callPrefix = '/call/'

type AnyCall = (args: unknown, io: CallIo) => Promise<CallResult<CallName>>

/** The agent's end of the calls (see `remoteCalls`): answers one request. Never rejects. */
export async function serveCall(
  calls: AgentCalls,
  checks: ReadonlyMap<string, CallCheck>,
  log: Log,
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
): Promise<void> {
  const name = String(headers[':path']).slice(callPrefix.length)
  const cancelled = new AbortController()
  // Also after a good end, when nothing listens any more; before it, this is how a handler learns that it may stop.
  stream.once('close', () => cancelled.abort(new Error('the caller is gone')))
  const body = new StreamBody(stream, lineLimit, () => new Error('the caller broke off'))
  const hasInput = headers[rawHeader] !== undefined
  if (hasInput) body.expectRaw()
  try {
    const args = argumentsOf(name, checks.get(name), await body.head)
    const handler = calls[name as CallName] as AnyCall
    const io = { signal: cancelled.signal, ...(hasInput && { input: body }) }
    const { reply, output } = await handler.call(calls, args, io)
    if (stream.destroyed) return void output?.destroy()
    if (output === null) return answer(stream, 200, reply)
    stream.respond({ ':status': 200, ...rawHeaders }, { waitForTrailers: true })
    promiseComplete(stream)
    stream.write(jsonLine(reply))
    await pipeline(output, stream)
  } catch (error) {
    if (stream.destroyed) return
    if (stream.headersSent) {
      log.warn({ call: name, reason: reasonOf(error) }, 'call broke off')
      stream.destroy(error instanceof Error ? error : new Error('broke off'))
      return
    }
    answer(stream, 500, asFault(name, error, log))
  }
}

/** For a call that nobody here can serve. */
export function refuseCall(stream: ServerHttp2Stream, reason: unknown, log: Log): void {
  answer(stream, 500, asFault('refused', reason, log))
  stream.resume()
}

function argumentsOf(name: string, check: CallCheck | undefined, line: string): unknown {
  if (!check) {
    throw new Fault('request.unsupported', {
      feature: `Call ${name}`,
      reason: 'this agent does not know it; update it',
    })
  }
  const args = parse(line)
  if (check.args.Check(args)) return args
  throw new Fault('request.invalid', { problem: `Call ${name}: ${problemOf(check.args, args)}.` })
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch (error) {
    throw new Fault('request.invalid', { problem: 'The arguments are not JSON.' }, error)
  }
}

function answer(stream: ServerHttp2Stream, status: number, value: unknown): void {
  stream.respond({ ':status': status })
  stream.end(jsonLine(value))
}

function asFault(call: string, error: unknown, log: Log): Fault {
  if (error instanceof Fault) return error
  const reference = randomIds.hex(6)
  log.error({ call, reference, err: error }, 'call failed')
  return new Fault('internal', { reference })
}
