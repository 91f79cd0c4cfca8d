import { join } from 'node:path'
import type { HostLog } from '../agent/host-log.ts'
import { dockerDriverName } from './docker-driver.ts'
import { hostTag } from './names.ts'
import { dockerPluginFolder, pluginServer } from './plugin-server.ts'

const beginnings = new Set(['NetworkDriver.CreateNetwork', 'NetworkDriver.CreateEndpoint', 'NetworkDriver.Join'])
const silent: HostLog = { debug() {}, info() {}, warn() {}, error() {} }

/**
 * Answers the engine in the place of the agent of `deployment`, so that containers can end without it: for a driver that is gone the
 * engine waits half a minute at each of a container's networks. Nothing can begin, and nothing is taken down; `removeNetworks` does
 * that. Rejects while the agent itself serves.
 */
export async function standInDriver(deployment: string, folder: string = dockerPluginFolder): Promise<AsyncDisposable> {
  const server = await pluginServer({
    socket: join(folder, `${dockerDriverName(hostTag(deployment))}.sock`),
    answer: (method) => {
      if (method === 'Plugin.Activate') return { Implements: ['NetworkDriver'] }
      if (method === 'NetworkDriver.GetCapabilities') return { Scope: 'local', ConnectivityScope: 'local' }
      if (beginnings.has(method)) throw new Error('Gantry is being stopped; nothing is connected any more.')
      return method === 'NetworkDriver.EndpointOperInfo' ? { Value: {} } : {}
    },
    isOurs: () => false,
    log: silent,
  })
  return { [Symbol.asyncDispose]: () => server.close() }
}
