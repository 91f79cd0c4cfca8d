import { Readable } from 'node:stream'
import { EngineError } from './engine-error.ts'
import type { EngineTransport } from './engine-transport.ts'
import type { ImageFound, ImageInspect, ImageSummary } from './engine-types.ts'
import { fullImageName } from './full-image-name.ts'
import { jsonLines } from './line-reader.ts'
import { registryHeader } from './raw-images.ts'
import { silenceGuard } from './silence-guard.ts'

export interface ImageApi {
  list(signal?: AbortSignal): Promise<ImageSummary[]>
  inspect(ref: string, signal?: AbortSignal): Promise<ImageInspect>
  /** Rejects with `EngineError` when the registry refuses or stays silent. `tag` may be a digest. */
  pull(repo: string, tag: string, signal?: AbortSignal, auth?: RegistryAuth | null): Promise<void>
  /** Makes an image of a file system. `entrypoint` is a path in it. */
  load(repo: string, tag: string, tar: Buffer, entrypoint: string, signal?: AbortSignal): Promise<void>
  /** One more name for an image. */
  tag(ref: string, repo: string, tag: string, signal?: AbortSignal): Promise<void>
  remove(ref: string, signal?: AbortSignal): Promise<void>
  /** What the registry it asks by default has. Rejects when that cannot be reached. */
  search(term: string, signal?: AbortSignal): Promise<ImageFound[]>
}

/** How the engine logs in at a registry, for one pull. */
export interface RegistryAuth {
  readonly domain: string
  readonly username: string
  readonly password: string
}

/** A registry that says nothing for this long does not answer; once it sends, a pause may be longer (a large layer is unpacked). */
const silentBeforeMs = 20_000
const silentWithinMs = 180_000
/** Somebody waits for the answer. */
const searchMs = 15_000
/** As many as Docker Hub gives at once. */
const mostFound = 100

export function imageApi(transport: EngineTransport): ImageApi {
  const nameOf = async (ref: string) => ((await transport.isPodman()) ? fullImageName(ref) : ref)
  const pathOf = async (ref: string) => `/images/${(await nameOf(ref)).split('/').map(encodeURIComponent).join('/')}`
  return {
    list: (signal) => transport.json({ path: '/images/json', ...(signal && { signal }) }),
    inspect: async (ref, signal) => transport.json({ path: `${await pathOf(ref)}/json`, ...(signal && { signal }) }),
    pull: async (repo, tag, signal, auth) => {
      using guard = silenceGuard(silentBeforeMs, signal)
      try {
        const query = { fromImage: await nameOf(repo), tag }
        const request = { method: 'POST', path: '/images/create', query, answerWithinMs: 0 } as const
        const headers = auth ? { 'x-registry-auth': registryHeader(auth) } : {}
        const { body } = await transport.stream({ ...request, headers, signal: guard.signal })
        // Status 200 comes before the outcome is known: only the lines tell.
        for await (const line of jsonLines(body)) {
          guard.heard(silentWithinMs)
          if (hasError(line)) throw new EngineError(500, line.error)
        }
      } catch (error) {
        if (guard.expired) throw new EngineError(504, 'the registry does not answer')
        throw error
      }
    },
    load: async (repo, tag, tar, entrypoint, signal) => {
      const changes = `ENTRYPOINT [${JSON.stringify(entrypoint)}]`
      const query = { fromSrc: '-', repo: await nameOf(repo), tag, changes }
      const request = { method: 'POST', path: '/images/create', query, body: Readable.from([tar]) } as const
      const { body } = await transport.stream({ ...request, ...(signal && { signal }) })
      for await (const line of jsonLines(body)) if (hasError(line)) throw new EngineError(500, line.error)
    },
    search: (term, signal) => {
      const query = { term, limit: mostFound }
      return transport.json({ path: '/images/search', query, answerWithinMs: searchMs, ...(signal && { signal }) })
    },
    tag: async (ref, repo, tag, signal) => {
      const query = { repo: await nameOf(repo), tag }
      const path = `${await pathOf(ref)}/tag`
      await transport.json<unknown>({ method: 'POST', path, query, ...(signal && { signal }) })
    },
    remove: async (ref, signal) => {
      await transport.json<unknown>({ method: 'DELETE', path: await pathOf(ref), ...(signal && { signal }) })
    },
  }
}

function hasError(line: unknown): line is { readonly error: string } {
  return typeof line === 'object' && line !== null && 'error' in line && typeof line.error === 'string'
}
