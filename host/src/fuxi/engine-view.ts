import { engineTransport } from '../engine/engine-transport.ts'

/** What the engines of this host do with volumes. */
export interface EngineView {
  /** Names of the driver's volumes that running containers have. Rejects if one of the engines does not answer. */
  used(signal: AbortSignal): Promise<ReadonlySet<string>>
  close(): Promise<void>
}

interface Listed {
  readonly Mounts?: readonly { readonly Type?: string; readonly Name?: string; readonly Driver?: string }[]
}

/** All that have files open. */
const filters = JSON.stringify({ status: ['running', 'paused', 'restarting', 'removing'] })

/** `sockets`: of every engine that uses this plugin. */
export function engineView(sockets: readonly string[], driver: string): EngineView {
  const transports = sockets.map(engineTransport)
  return {
    used: async (signal) => {
      const names = new Set<string>()
      for (const transport of transports) {
        const query = { all: true, filters }
        for (const { Mounts = [] } of await transport.json<Listed[]>({ path: '/containers/json', query, signal })) {
          for (const { Type, Name, Driver } of Mounts) {
            if (Type === 'volume' && Driver === driver && Name !== undefined) names.add(Name)
          }
        }
      }
      return names
    },
    close: async () => {
      await Promise.all(transports.map((transport) => transport.close()))
    },
  }
}
