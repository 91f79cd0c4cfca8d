import { engineTransport } from '../engine/engine-transport.ts'

/** What the engines of this host know of the plugin's networks. */
export interface EngineView {
  readonly networks: ReadonlySet<string>
  readonly endpoints: ReadonlySet<string>
  /** MAC addresses of those endpoints. */
  readonly macs: ReadonlySet<string>
}

export interface Engines {
  /** Rejects if one of them does not answer: who does not know everything must remove nothing. */
  look(signal: AbortSignal): Promise<EngineView>
  close(): Promise<void>
}

interface Listed {
  readonly Id: string
}
interface Inspected {
  readonly Containers?: Readonly<Record<string, { readonly EndpointID?: string; readonly MacAddress?: string }>> | null
}

/** `sockets`: of every engine that uses this plugin. */
export function engines(sockets: readonly string[], driver: string): Engines {
  const transports = sockets.map(engineTransport)
  return {
    look: async (signal) => {
      const view = { networks: new Set<string>(), endpoints: new Set<string>(), macs: new Set<string>() }
      for (const transport of transports) {
        const query = { filters: JSON.stringify({ driver: [driver] }) }
        for (const { Id } of await transport.json<Listed[]>({ path: '/networks', query, signal })) {
          view.networks.add(Id)
          const network = await transport.json<Inspected>({ path: `/networks/${Id}`, signal })
          for (const { EndpointID = '', MacAddress = '' } of Object.values(network.Containers ?? {})) {
            view.endpoints.add(EndpointID)
            view.macs.add(MacAddress)
          }
        }
      }
      return view
    },
    close: async () => {
      await Promise.all(transports.map((transport) => transport.close()))
    },
  }
}
