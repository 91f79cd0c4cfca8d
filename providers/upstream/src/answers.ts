import type { Readable } from 'node:stream'
import { Fault, reasonOf } from '@gantry/kernel'
import type { Dispatcher } from 'undici'
import { ForbiddenConnection } from './forbidden-connection.ts'

export type RegistryAnswer = Dispatcher.ResponseData

/** Bytes of an error's text that are looked at. */
const mostOfRefusal = 64 * 1024

/** The whole of a small body; null when it is larger than `limit` bytes. */
export async function readSmall(body: Readable, limit: number): Promise<Buffer | null> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of body as AsyncIterable<Buffer>) {
    size += part.length
    if (size > limit) return null
    parts.push(part)
  }
  return Buffer.concat(parts)
}

/** The fault that an answer stands for, in the registry's own words. Reads the answer's body. */
export async function refusalOf(
  host: string,
  { statusCode, body }: RegistryAnswer,
  isLoggedIn: boolean,
): Promise<Fault> {
  const text = await readSmall(body, mostOfRefusal).catch(() => null)
  const reason = wordsOf(text?.toString() ?? '') ?? `the registry ${host} answered ${statusCode}`
  if (statusCode === 401 || (statusCode === 403 && !isLoggedIn)) return new Fault('registry.login', { reason })
  if (statusCode === 429 || statusCode >= 500) return new Fault('registry.unreachable', { reason })
  return new Fault('registry.refused', { reason })
}

/** As engines write it: `manifest unknown: manifest unknown to registry`. Token services have each their own form. */
function wordsOf(text: string): string | null {
  const body = jsonOf(text)
  const errors = body['errors']
  const [first] = Array.isArray(errors) ? (errors as unknown[]) : []
  if (typeof first === 'object' && first !== null) {
    const { code, message } = first as Record<string, unknown>
    const parts = [typeof code === 'string' ? code.toLowerCase().replaceAll('_', ' ') : '', message]
    return clean(parts.filter((part) => typeof part === 'string' && part !== '').join(': '))
  }
  const words = ['details', 'detail', 'message', 'error_description', 'error'].map((key) => body[key])
  const found = words.find((value) => typeof value === 'string')
  return typeof found === 'string' ? clean(found) : null
}

/** An object in any case. */
export function jsonOf(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

function clean(words: string): string | null {
  // What another server says ends in terminals and logs.
  const line = words
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim()
    .slice(0, 500)
  return line === '' ? null : line
}

/** The fault behind an error of the network; faults stay what they are, and so does a caller's own abort. */
export function faultOf(host: string, error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason
  if (error instanceof Fault) return error
  if (error instanceof ForbiddenConnection) {
    return new Fault(
      'registry.refused',
      { reason: `The registry ${host} is not allowed here: ${error.message}` },
      error,
    )
  }
  const reason = `The registry ${host} cannot be reached: ${networkReason(error)}`
  return new Fault('registry.unreachable', { reason }, error)
}

/** A task that has to end in time, however slowly its answer trickles; its errors are faults. */
export async function inTime<T>(
  host: string,
  ms: number,
  signal: AbortSignal,
  task: (within: AbortSignal) => Promise<T>,
): Promise<T> {
  const within = AbortSignal.any([signal, AbortSignal.timeout(ms)])
  try {
    return await task(within)
  } catch (error) {
    const isLate = within.aborted && !signal.aborted
    if (isLate) throw new Fault('registry.unreachable', { reason: `The registry ${host} takes too long.` }, error)
    throw faultOf(host, error, signal)
  }
}

/** Node gathers attempts on several addresses into one error without a text. */
function networkReason(error: unknown): string {
  const [first] = error instanceof AggregateError ? (error.errors as unknown[]) : []
  return reasonOf(first ?? error) || 'the connection failed'
}
