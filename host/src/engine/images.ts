import { Readable } from 'node:stream'
import { EngineError } from './engine-error.ts'
import type { EngineTransport } from './engine-transport.ts'
import type { ImageInspect, ImageSummary } from './engine-types.ts'
import { fullImageName } from './full-image-name.ts'
import { jsonLines } from './line-reader.ts'

export interface ImageApi {
  list(signal?: AbortSignal): Promise<ImageSummary[]>
  inspect(ref: string, signal?: AbortSignal): Promise<ImageInspect>
  /** Makes an image of a file system. `entrypoint` is a path in it. */
  load(repo: string, tag: string, tar: Buffer, entrypoint: string, signal?: AbortSignal): Promise<void>
  /** One more name for an image. */
  tag(ref: string, repo: string, tag: string, signal?: AbortSignal): Promise<void>
  remove(ref: string, signal?: AbortSignal): Promise<void>
}

export function imageApi(transport: EngineTransport): ImageApi {
  const nameOf = async (ref: string) => ((await transport.isPodman()) ? fullImageName(ref) : ref)
  const pathOf = async (ref: string) => `/images/${(await nameOf(ref)).split('/').map(encodeURIComponent).join('/')}`
  return {
    list: (signal) => transport.json({ path: '/images/json', ...(signal && { signal }) }),
    inspect: async (ref, signal) => transport.json({ path: `${await pathOf(ref)}/json`, ...(signal && { signal }) }),
    load: async (repo, tag, tar, entrypoint, signal) => {
      const changes = `ENTRYPOINT [${JSON.stringify(entrypoint)}]`
      const query = { fromSrc: '-', repo: await nameOf(repo), tag, changes }
      const request = { method: 'POST', path: '/images/create', query, body: Readable.from([tar]) } as const
      const { body } = await transport.stream({ ...request, ...(signal && { signal }) })
      for await (const line of jsonLines(body)) if (hasError(line)) throw new EngineError(500, line.error)
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
