import { type IncomingMessage, request } from 'node:http'
import { buffer } from 'node:stream/consumers'

export interface EngineCall {
  readonly method?: 'GET' | 'POST' | 'DELETE'
  readonly path: string
  /** Milliseconds until the answer's head must be there; the caller's signal bounds the rest. */
  readonly timeoutMs?: number
  readonly body?: Buffer
  readonly signal?: AbortSignal | undefined
}

/** Opens one request to the engine behind a Unix socket and answers with its response, whatever its status. */
export async function openEngineCall(socketPath: string, call: EngineCall): Promise<IncomingMessage> {
  return await new Promise((answer, failed) => {
    const headers =
      call.body === undefined ? {} : { 'content-type': 'application/x-tar', 'content-length': call.body.length }
    const method = call.method ?? 'GET'
    const outgoing = request({ socketPath, path: call.path, method, headers, agent: false, ...pick(call.signal) })
    const late =
      call.timeoutMs === undefined ? undefined : setTimeout(() => outgoing.destroy(timeUp(call)), call.timeoutMs)
    outgoing.on('close', () => clearTimeout(late))
    outgoing.on('error', failed)
    outgoing.on('response', (response) => {
      clearTimeout(late)
      answer(response)
    })
    outgoing.end(call.body)
  })
}

/** The whole answer; meant for small ones. */
export async function callEngine(socketPath: string, call: EngineCall): Promise<{ status: number; body: Buffer }> {
  const response = await openEngineCall(socketPath, call)
  return { status: response.statusCode ?? 0, body: await buffer(response) }
}

export interface EngineVersion {
  /** `Docker` or `Podman`. */
  readonly kind: string
  readonly version: string
}

/** Who answers on the socket, or undefined if nobody does within `timeoutMs`. */
export async function askVersion(
  socketPath: string,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<EngineVersion | undefined> {
  try {
    const { status, body } = await callEngine(socketPath, { path: '/version', timeoutMs, signal })
    if (status !== 200) return undefined
    return versionOf(JSON.parse(body.toString()))
  } catch {
    signal?.throwIfAborted()
    return undefined
  }
}

function versionOf(answer: { Version?: unknown; Components?: { Name?: unknown }[] }): EngineVersion {
  const podman = answer.Components?.some((part) => String(part.Name).startsWith('Podman')) ?? false
  return { kind: podman ? 'Podman' : 'Docker', version: String(answer.Version) }
}

function timeUp(call: EngineCall): Error {
  return new Error(`the engine did not answer ${call.path} within ${call.timeoutMs} ms`)
}

function pick(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal ? { signal } : {}
}
