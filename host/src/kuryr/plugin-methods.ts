import { checked } from '../network/plugin-server.ts'
import type { Addresses } from './addresses.ts'
import type { Endpoints } from './endpoints.ts'
import * as messages from './messages.ts'
import type { Networks } from './networks.ts'
import type { Pools } from './pools.ts'

export interface PluginMethodsParts {
  readonly pools: Pools
  readonly networks: Networks
  readonly addresses: Addresses
  readonly endpoints: Endpoints
  readonly scope: 'local' | 'global'
}

export type PluginMethod = (body: unknown) => Promise<object> | object

/** Everything that Docker may ask of a network and an address driver, by its name in the protocol. */
export function pluginMethods(parts: PluginMethodsParts): Readonly<Record<string, PluginMethod>> {
  const { pools, networks, addresses, endpoints, scope } = parts
  const space = 'no_address_space'
  return {
    'Plugin.Activate': () => ({ Implements: ['NetworkDriver', 'IpamDriver'] }),

    'IpamDriver.GetCapabilities': () => ({ RequiresMACAddress: true }),
    'IpamDriver.GetDefaultAddressSpaces': () => ({ LocalDefaultAddressSpace: space, GlobalDefaultAddressSpace: space }),
    'IpamDriver.RequestPool': (body) => pools.request(checked(messages.RequestPool, body)),
    'IpamDriver.ReleasePool': (body) => pools.release(checked(messages.ReleasePool, body).PoolID),
    'IpamDriver.RequestAddress': (body) => addresses.request(checked(messages.RequestAddress, body)),
    'IpamDriver.ReleaseAddress': (body) => addresses.release(checked(messages.ReleaseAddress, body)),

    'NetworkDriver.GetCapabilities': () => ({ Scope: scope, ConnectivityScope: scope }),
    'NetworkDriver.CreateNetwork': (body) => networks.create(checked(messages.CreateNetwork, body)),
    'NetworkDriver.DeleteNetwork': (body) => networks.remove(checked(messages.OfNetwork, body).NetworkID),
    'NetworkDriver.CreateEndpoint': (body) => endpoints.create(checked(messages.CreateEndpoint, body)),
    'NetworkDriver.Join': (body) => endpoints.join(checked(messages.OfEndpoint, body)),
    'NetworkDriver.ProgramExternalConnectivity': (body) => endpoints.publish(checked(messages.OfEndpoint, body)),
    'NetworkDriver.RevokeExternalConnectivity': (body) => endpoints.revoke(checked(messages.OfEndpoint, body)),
    'NetworkDriver.EndpointOperInfo': (body) => endpoints.show(checked(messages.OfEndpoint, body)),
    'NetworkDriver.DeleteEndpoint': (body) => endpoints.remove(checked(messages.OfEndpoint, body)),

    // Neutron tells its hosts by itself where everything is, and Swarm's managers need no more than the id.
    'NetworkDriver.AllocateNetwork': () => ({ Options: {} }),
    'NetworkDriver.FreeNetwork': () => ({}),
    'NetworkDriver.DiscoverNew': () => ({}),
    'NetworkDriver.DiscoverDelete': () => ({}),
    'NetworkDriver.Leave': () => ({}),
  }
}
