import { type BorrowedNames, borrowedNames } from './borrowed-names.ts'
import { type BuildApi, buildApi } from './build-api.ts'
import { type ContainerApi, containerApi } from './containers.ts'
import type { EngineEvent, EngineInfo, EngineVersion } from './engine-types.ts'
import { engineTransport } from './engine-transport.ts'
import { EngineUnreachable } from './engine-error.ts'
import { type ExecApi, execApi } from './execs.ts'
import { type ImageApi, imageApi } from './images.ts'
import { jsonLines } from './line-reader.ts'
import { type NetworkApi, networkApi } from './networks.ts'
import { type RawContainerApi, rawContainerApi } from './raw-containers.ts'
import { type RawImageApi, rawImageApi } from './raw-images.ts'

/**
 * One container engine, over its unix socket (Docker Engine API 1.41 or later, or Podman's compatible one).
 * A call rejects with `EngineError` when the engine refuses and with `EngineUnreachable` when it does not answer.
 */
export interface Engine {
  readonly containers: ContainerApi
  readonly execs: ExecApi
  readonly images: ImageApi
  /** What only building asks. */
  readonly builds: BuildApi
  readonly networks: NetworkApi
  /** In the engine's own words. */
  readonly raw: RawContainerApi
  readonly rawImages: RawImageApi
  /** Who uses a public name for what is not public. */
  readonly names: BorrowedNames
  info(signal?: AbortSignal): Promise<EngineInfo>
  version(signal?: AbortSignal): Promise<EngineVersion>
  isPodman(): Promise<boolean>
  /** Resolves once the engine has begun to send: whatever happens after that moment is in the stream. */
  events(label: string, signal: AbortSignal): Promise<AsyncIterable<EngineEvent>>
  close(): Promise<void>
}

/** `borrowedFolder`: where it is written down which names are borrowed. */
export function openEngine(socketPath: string, borrowedFolder: string | null = null): Engine {
  const transport = engineTransport(socketPath)
  return {
    containers: containerApi(transport),
    execs: execApi(transport),
    images: imageApi(transport),
    builds: buildApi(transport),
    networks: networkApi(transport),
    raw: rawContainerApi(transport),
    rawImages: rawImageApi(transport),
    names: borrowedNames(borrowedFolder),
    info: (signal) => transport.json({ path: '/info', ...(signal && { signal }) }),
    version: (signal) => transport.json({ path: '/version', ...(signal && { signal }) }),
    isPodman: () => transport.isPodman(),
    events: async (label, signal) => {
      const filters = JSON.stringify({ type: ['container'], label: [label] })
      const { body } = await transport.stream({ path: '/events', query: { filters }, signal, answerWithinMs: 10_000 })
      return eventsOf(body)
    },
    close: () => transport.close(),
  }
}

async function* eventsOf(body: Parameters<typeof jsonLines>[0]): AsyncGenerator<EngineEvent, void> {
  try {
    for await (const line of jsonLines(body)) yield line as EngineEvent
  } catch (error) {
    throw new EngineUnreachable('its event stream broke off', { cause: error })
  }
}
