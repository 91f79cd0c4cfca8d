import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import type { EngineTransport } from './engine-transport.ts'

type Json = Record<string, unknown>

/** Containers and execs in the engine's own words, handed on unread. `ref` is an engine id. */
export interface RawContainerApi {
  inspect(ref: string, size: boolean, signal?: AbortSignal): Promise<Json>
  /** Each half of the connection closes by itself. */
  attach(ref: string, query: AttachQuery, signal?: AbortSignal): Promise<Socket>
  execCreate(ref: string, config: Json, signal?: AbortSignal): Promise<{ readonly Id: string }>
  execStart(execId: string, body: ExecStart, signal?: AbortSignal): Promise<Socket>
  /** Returns once it runs. */
  execStartDetached(execId: string, tty: boolean, signal?: AbortSignal): Promise<void>
  execInspect(execId: string, signal?: AbortSignal): Promise<Json>
  stats(ref: string, query: { stream: boolean; oneShot: boolean }, signal?: AbortSignal): Promise<Readable>
  changes(ref: string, signal?: AbortSignal): Promise<readonly { Path: string; Kind: number }[] | null>
  export(ref: string, signal?: AbortSignal): Promise<Readable>
  /** The header in which the engine tells about the path. */
  archiveHead(ref: string, at: string, signal?: AbortSignal): Promise<string | string[] | undefined>
}

export interface AttachQuery {
  readonly stdin: boolean
  readonly stdout: boolean
  readonly stderr: boolean
  readonly logs: boolean
  readonly stream: boolean
  readonly detachKeys?: string
}

export interface ExecStart {
  readonly Detach: boolean
  readonly Tty: boolean
  readonly ConsoleSize?: readonly [number, number]
}

export function rawContainerApi(transport: EngineTransport): RawContainerApi {
  const path = (ref: string, verb: string) => `/containers/${encodeURIComponent(ref)}${verb}`
  const ended = (signal?: AbortSignal) => (signal ? { signal } : {})
  return {
    inspect: (ref, size, signal) => transport.json({ path: path(ref, '/json'), query: { size }, ...ended(signal) }),
    attach: (ref, query, signal) =>
      transport.upgrade({ path: path(ref, '/attach'), query: { ...query }, ...ended(signal) }),
    execCreate: (ref, body, signal) =>
      transport.json({ method: 'POST', path: path(ref, '/exec'), body, ...ended(signal) }),
    execStart: (execId, body, signal) => transport.upgrade({ path: `/exec/${execId}/start`, body, ...ended(signal) }),
    execStartDetached: async (execId, Tty, signal) => {
      const body = { Detach: true, Tty }
      await transport.json<unknown>({ method: 'POST', path: `/exec/${execId}/start`, body, ...ended(signal) })
    },
    execInspect: (execId, signal) => transport.json({ path: `/exec/${execId}/json`, ...ended(signal) }),
    stats: async (ref, { stream, oneShot }, signal) => {
      const query = { stream, ...(oneShot && { 'one-shot': true }) }
      return (await transport.stream({ path: path(ref, '/stats'), query, ...ended(signal) })).body
    },
    changes: (ref, signal) => transport.json({ path: path(ref, '/changes'), ...ended(signal) }),
    export: async (ref, signal) =>
      (await transport.stream({ path: path(ref, '/export'), answerWithinMs: 0, ...ended(signal) })).body,
    archiveHead: async (ref, at, signal) => {
      const request = { method: 'HEAD', path: path(ref, '/archive'), query: { path: at } } as const
      const { headers, body } = await transport.stream({ ...request, ...ended(signal) })
      body.resume()
      return headers['x-docker-container-path-stat']
    },
  }
}
