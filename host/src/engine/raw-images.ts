import type { Readable } from 'node:stream'
import type { EngineTransport } from './engine-transport.ts'
import { fullImageName } from './full-image-name.ts'
import type { RegistryAuth } from './images.ts'

type Json = Record<string, unknown>

/** Images in the engine's own words, handed on unread. Streams are to be read or destroyed by whoever gets them. */
export interface RawImageApi {
  inspect(ref: string, signal?: AbortSignal): Promise<Json>
  /** All of them. */
  list(signal?: AbortSignal): Promise<Json[]>
  history(ref: string, signal?: AbortSignal): Promise<Json[]>
  pull(repo: string, tag: string, auth: RegistryAuth | null, signal: AbortSignal): Promise<Readable>
  push(repo: string, tag: string, auth: RegistryAuth | null, signal: AbortSignal): Promise<Readable>
  /** By names and ids; what was asked for by id has no name in it. */
  save(refs: readonly string[], signal: AbortSignal): Promise<Readable>
  load(tar: Readable, signal: AbortSignal): Promise<Readable>
  import(tar: Readable, as: ImportedAs, signal: AbortSignal): Promise<Readable>
  auth(auth: RegistryAuth | null, signal?: AbortSignal): Promise<Json | undefined>
  distribution(name: string, auth: RegistryAuth | null, signal?: AbortSignal): Promise<Json>
}

export interface ImportedAs {
  readonly repo: string
  readonly tag: string
  readonly message: string
  readonly changes: readonly string[]
}

/** A registry may take its time before it answers. */
const registryMs = 60_000

export function rawImageApi(transport: EngineTransport): RawImageApi {
  const ended = (signal?: AbortSignal) => (signal ? { signal } : {})
  const nameOf = async (ref: string) => ((await transport.isPodman()) ? fullImageName(ref) : ref)
  const pathOf = async (ref: string) => pathTo(await nameOf(ref))
  const streamed = async (request: Parameters<typeof transport.stream>[0]) =>
    (await transport.stream({ method: 'POST', answerWithinMs: 0, ...request })).body
  return {
    inspect: async (ref, signal) => transport.json({ path: `${await pathOf(ref)}/json`, ...ended(signal) }),
    list: (signal) => transport.json({ path: '/images/json', query: { all: true }, ...ended(signal) }),
    history: async (ref, signal) => transport.json({ path: `${await pathOf(ref)}/history`, ...ended(signal) }),
    pull: async (repo, tag, auth, signal) =>
      streamed({
        path: '/images/create',
        query: { fromImage: await nameOf(repo), tag },
        headers: auth ? { 'x-registry-auth': registryHeader(auth) } : {},
        signal,
      }),
    push: async (repo, tag, auth, signal) =>
      streamed({
        path: `${await pathOf(repo)}/push`,
        query: { tag },
        headers: { 'x-registry-auth': registryHeader(auth) },
        signal,
      }),
    save: async (refs, signal) => {
      const names = await Promise.all(refs.map(nameOf))
      const query = new URLSearchParams(names.map((name) => ['names', name]))
      return streamed({ method: 'GET', path: `/images/get?${query.toString()}`, signal })
    },
    load: (tar, signal) => streamed({ path: '/images/load?quiet=0', body: tar, signal }),
    import: async (tar, { repo, tag, message, changes }, signal) => {
      const query = new URLSearchParams([
        ['fromSrc', '-'],
        ['repo', await nameOf(repo)],
        ['tag', tag],
        ...(message === '' ? [] : [['message', message]]),
        ...changes.map((change) => ['changes', change]),
      ])
      return streamed({ path: `/images/create?${query.toString()}`, body: tar, signal })
    },
    auth: (auth, signal) =>
      transport.json({
        method: 'POST',
        path: '/auth',
        body: { username: auth?.username ?? '', password: auth?.password ?? '', serveraddress: auth?.domain ?? '' },
        answerWithinMs: registryMs,
        ...ended(signal),
      }),
    distribution: (name, auth, signal) =>
      transport.json({
        path: `/distribution/${name.split('/').map(encodeURIComponent).join('/')}/json`,
        headers: auth ? { 'x-registry-auth': registryHeader(auth) } : {},
        answerWithinMs: registryMs,
        ...ended(signal),
      }),
  }
}

function pathTo(name: string): string {
  return `/images/${name.split('/').map(encodeURIComponent).join('/')}`
}

/** Engines take the URL-safe alphabet, with padding; a push needs one even of nobody. */
export function registryHeader(auth: RegistryAuth | null): string {
  const text = JSON.stringify(
    auth ? { username: auth.username, password: auth.password, serveraddress: auth.domain } : {},
  )
  return Buffer.from(text).toString('base64').replaceAll('+', '-').replaceAll('/', '_')
}
