import { isStatus } from './engine-error.ts'
import type { EngineTransport } from './engine-transport.ts'
import type { EndpointConfig, NetworkInfo } from './engine-types.ts'

export interface NetworkApi {
  /** One of a remote driver, which has its own addresses. Rejects with status 409 when the name is taken. */
  create(network: NewNetwork, signal?: AbortSignal): Promise<{ readonly Id: string }>
  connect(ref: string, container: string, endpoint: EndpointConfig, signal?: AbortSignal): Promise<void>
  /** One that is not connected is no error. */
  disconnect(ref: string, container: string, signal?: AbortSignal): Promise<void>
  /** Those with every label (`key=value`). */
  list(labels: readonly string[], signal?: AbortSignal): Promise<NetworkInfo[]>
  /** Resolves with false while containers are still connected. */
  remove(ref: string, signal?: AbortSignal): Promise<boolean>
}

export interface NewNetwork {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly driver: string
}

export function networkApi(transport: EngineTransport): NetworkApi {
  const path = (ref: string) => `/networks/${encodeURIComponent(ref)}`
  return {
    create: ({ name, labels, driver }, signal) => {
      const body = { Name: name, Labels: labels, Driver: driver, IPAM: { Driver: 'null' }, CheckDuplicate: true }
      return transport.json({ method: 'POST', path: '/networks/create', body, ...(signal && { signal }) })
    },
    connect: async (ref, Container, EndpointConfig, signal) => {
      const request = { method: 'POST', path: `${path(ref)}/connect`, body: { Container, EndpointConfig } } as const
      await transport.json<unknown>({ ...request, ...(signal && { signal }) })
    },
    disconnect: async (ref, Container, signal) => {
      const request = { method: 'POST', path: `${path(ref)}/disconnect`, body: { Container, Force: true } } as const
      try {
        await transport.json<unknown>({ ...request, ...(signal && { signal }) })
      } catch (error) {
        if (!isStatus(error, 403, 404, 500) || !/is not connected/.test(error.message)) throw error
      }
    },
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
