import type { Readable } from 'node:stream'
import type { ImageConfig } from '@gantry/dockerfile'
import { EngineError } from './engine-error.ts'
import type { EngineTransport } from './engine-transport.ts'
import { jsonLines } from './line-reader.ts'

export interface ImageFacts {
  readonly Id: string
  readonly Author?: string
  readonly Architecture: string
  readonly Variant?: string
  readonly Os: string
  readonly Config: ImageConfig | null
  readonly Created: string
  readonly Size: number
  readonly RootFS: { readonly Layers?: readonly string[] | null }
}

export interface HistoryLine {
  /** Epoch seconds. */
  readonly Created: number
  readonly CreatedBy: string
  readonly Comment: string
  readonly Size: number
}

/** Go's bits of what a path is, as the engine's header tells them. */
export const goMode = { folder: 2 ** 31, link: 2 ** 27 } as const

/** What building images asks of an engine beside everything else. */
export interface BuildApi {
  /** Whether images are kept by containerd, where layers are not known by their content alone. */
  usesSnapshotter(signal?: AbortSignal): Promise<boolean>
  /** null: the engine has none. */
  image(ref: string, signal?: AbortSignal): Promise<ImageFacts | null>
  /** The newest first. */
  history(ref: string, signal?: AbortSignal): Promise<readonly HistoryLine[]>
  /** As `docker load`. */
  load(tar: Readable, signal?: AbortSignal): Promise<void>
  /** By filter, in the API's words. */
  images(filters: Readonly<Record<string, readonly string[]>>, signal?: AbortSignal): Promise<readonly ListedImage[]>
  /** A container of the API's own create body. */
  create(name: string, body: object, signal?: AbortSignal): Promise<{ readonly Id: string }>
  /** Those whose names match one of these patterns, whatever their state. */
  named(patterns: readonly string[], signal?: AbortSignal): Promise<readonly NamedContainer[]>
  /** Its exit code, once it has ended. */
  exitCode(ref: string, signal?: AbortSignal): Promise<number>
  /** Answers the new image's id. `labels` are its own beside the container's. */
  commit(ref: string, labels: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<string>
}

export interface ListedImage {
  readonly Id: string
  readonly RepoTags: readonly string[] | null
  readonly Labels?: Readonly<Record<string, string>> | null
  /** Epoch seconds. */
  readonly Created: number
}

export interface NamedContainer {
  readonly Id: string
  readonly Names: readonly string[]
}

export function buildApi(transport: EngineTransport): BuildApi {
  const ended = (signal?: AbortSignal) => (signal ? { signal } : {})
  const imagePath = (ref: string) => `/images/${ref.split('/').map(encodeURIComponent).join('/')}`
  return {
    usesSnapshotter: async (signal) => {
      const { DriverStatus } = await transport.json<{ readonly DriverStatus?: readonly (readonly string[])[] | null }>({
        path: '/info',
        ...ended(signal),
      })
      return (DriverStatus ?? []).some(([, value = '']) => value.startsWith('io.containerd.snapshotter'))
    },
    image: async (ref, signal) => {
      try {
        return await transport.json<ImageFacts>({ path: `${imagePath(ref)}/json`, ...ended(signal) })
      } catch (error) {
        if (error instanceof EngineError && error.status === 404) return null
        throw error
      }
    },
    history: (ref, signal) => transport.json({ path: `${imagePath(ref)}/history`, ...ended(signal) }),
    load: async (tar, signal) => {
      const request = { method: 'POST', path: '/images/load', query: { quiet: true }, body: tar } as const
      const { body } = await transport.stream({ ...request, answerWithinMs: 0, ...ended(signal) })
      // Status 200 comes before the outcome is known.
      for await (const line of jsonLines(body)) if (failed(line)) throw new EngineError(500, line.error)
    },
    images: (filters, signal) =>
      transport.json({ path: '/images/json', query: { filters: JSON.stringify(filters) }, ...ended(signal) }),
    create: (name, body, signal) =>
      transport.json({ method: 'POST', path: '/containers/create', query: { name }, body, ...ended(signal) }),
    named: (patterns, signal) => {
      const query = { all: true, filters: JSON.stringify({ name: patterns }) }
      return transport.json({ path: '/containers/json', query, ...ended(signal) })
    },
    exitCode: async (ref, signal) => {
      const path = `/containers/${encodeURIComponent(ref)}/wait`
      const request = { method: 'POST', path, answerWithinMs: 0, ...ended(signal) } as const
      return (await transport.json<{ readonly StatusCode: number }>(request)).StatusCode
    },
    commit: async (ref, labels, signal) => {
      const request = { method: 'POST', path: '/commit', query: { container: ref, pause: false } } as const
      const body = { Labels: labels }
      return (await transport.json<{ readonly Id: string }>({ ...request, body, answerWithinMs: 0, ...ended(signal) }))
        .Id
    },
  }
}

function failed(line: unknown): line is { readonly error: string } {
  return typeof line === 'object' && line !== null && 'error' in line && typeof line.error === 'string'
}
