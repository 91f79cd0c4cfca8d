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
import { type RegistryTransfer, registryTransfer } from './registry-transfer.ts'

/**
 * One container engine, over its unix socket (Docker Engine API 1.41 or later, or Podman's compatible one).
 * A call rejects with `EngineError` when the engine refuses and with `EngineUnreachable` when it does not answer.
 */
export interface Engine {
  readonly containers: ContainerApi
  readonly execs: ExecApi
  readonly images: ImageApi
  /** Between the engine and a registry. */
  readonly transfer: RegistryTransfer
  /** What only building asks. */
  readonly builds: BuildApi
  readonly networks: NetworkApi
  /** In the engine's own words. */
  readonly raw: RawContainerApi
  info(signal?: AbortSignal): Promise<EngineInfo>
  version(signal?: AbortSignal): Promise<EngineVersion>
  isPodman(): Promise<boolean>
  /** Resolves once the engine has begun to send: whatever happens after that moment is in the stream. */
  events(label: string, signal: AbortSignal): Promise<AsyncIterable<EngineEvent>>
  close(): Promise<void>
}

export function openEngine(socketPath: string): Engine {
  const transport = engineTransport(socketPath)
  return {
    containers: containerApi(transport),
    execs: execApi(transport),
    images: imageApi(transport),
    transfer: registryTransfer(transport),
    builds: buildApi(transport),
    networks: networkApi(transport),
    raw: rawContainerApi(transport),
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
