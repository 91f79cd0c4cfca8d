import { EngineError, isStatus } from './engine-error.ts'
import type { EngineTransport } from './engine-transport.ts'
import type { NetworkInfo } from './engine-types.ts'

export interface NetworkApi {
  /** A bridge of its own. Rejects with status 409 when the name is taken. */
  create(name: string, labels: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<{ readonly Id: string }>
  inspect(ref: string, signal?: AbortSignal): Promise<NetworkInfo>
  /** Those with every label (`key=value`). */
  list(labels: readonly string[], signal?: AbortSignal): Promise<NetworkInfo[]>
  /** Resolves with false while containers are still connected. */
  remove(ref: string, signal?: AbortSignal): Promise<boolean>
}

export function networkApi(transport: EngineTransport): NetworkApi {
  const path = (ref: string) => `/networks/${encodeURIComponent(ref)}`
  return {
    create: async (Name, Labels, signal) => {
      const body = { Name, Labels, Driver: 'bridge', CheckDuplicate: true }
      try {
        return await transport.json({ method: 'POST', path: '/networks/create', body, ...(signal && { signal }) })
      } catch (error) {
        // Podman has no status of its own for it.
        if (isStatus(error, 500) && /already (exists|used)/.test(error.message))
          throw new EngineError(409, error.message)
        throw error
      }
    },
    inspect: (ref, signal) => transport.json({ path: path(ref), ...(signal && { signal }) }),
    list: (labels, signal) => {
      const query = { filters: JSON.stringify({ label: labels }) }
      return transport.json({ path: '/networks', query, ...(signal && { signal }) })
    },
    remove: async (ref, signal) => {
      try {
        await transport.json<unknown>({ method: 'DELETE', path: path(ref), ...(signal && { signal }) })
        return true
      } catch (error) {
        if (isStatus(error, 404)) return true
        if (isStatus(error, 403, 409)) return false
        if (isStatus(error, 500) && /is being used/.test(error.message)) return false
        throw error
      }
    },
  }
}
