import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { Control } from '@gantry/control'
import { hostRegistry } from '@gantry/facade-registry'
import { createHttpApp, type HttpMetrics, observe } from '@gantry/http'
import type { HostId } from '@gantry/model'
import type { Logger } from 'pino'
import type { ServerOptions } from './options.ts'

export interface HostRegistryService {
  /** Owns the socket from now on. */
  serve(socket: TLSSocket, hostId: HostId): void
  close(): Promise<void>
}

/** The registry for hosts: it listens nowhere, and is given the connections that agents open to the relay. */
export async function hostRegistryService(
  control: Pick<Control, 'registry'>,
  metrics: HttpMetrics,
  log: Logger,
): Promise<HostRegistryService> {
  const hosts = new WeakMap<Socket, HostId>()
  const app = createHttpApp({ log })
  observe(app, metrics, 'registry')
  const hostOf = (socket: Socket) => hosts.get(socket) ?? null
  await app.register(hostRegistry, { prefix: '/v2', registry: control.registry, hostOf })
  await app.ready()
  return {
    serve(socket, hostId) {
      hosts.set(socket, hostId)
      app.server.emit('connection', socket)
    },
    close: () => app.close(),
  }
}

type Named = Pick<ServerOptions, 'listen' | 'names' | 'registryNames'>

/** Names under which clients reach the registry on `port`, as they write them before the names of images. */
export function registryDomainsOf({ listen, names, registryNames }: Named, port: number): string[] {
  const hosts = [...names, listen.host].filter(isReachable)
  const written = hosts.map((host) => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`))
  return [...new Set([...registryNames, ...written])]
}

/** What the server's certificate is for. */
export function certifiedNames({ listen, names, registryNames }: Named): string[] {
  const further = [listen.host].filter(isReachable)
  return [...new Set([...names, ...further, ...registryNames.map((name) => name.replace(/:\d+$/, ''))])]
}

function isReachable(host: string): boolean {
  return host !== '0.0.0.0' && host !== '::'
}
