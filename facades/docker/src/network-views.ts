import type { Container, Network, Subnet } from '@gantry/model'
import { dockerId } from './ids.ts'
import { nameOfNetwork } from './known-networks.ts'
import { stateOf } from './translate-state.ts'

type View = Record<string, unknown>

/** Stands for the network of containers that are in none: the same for everybody. */
export const noneId = dockerId('00000000-0000-4000-8000-000000000000')

const common = {
  Scope: 'local',
  Attachable: false,
  Ingress: false,
  ConfigFrom: { Network: '' },
  ConfigOnly: false,
  Containers: {},
  Options: {},
  Labels: {},
}

export const noneView: View = {
  Name: 'none',
  Id: noneId,
  Created: '1970-01-01T00:00:00Z',
  Driver: 'null',
  EnableIPv6: false,
  Internal: false,
  IPAM: { Driver: 'default', Options: null, Config: [] },
  ...common,
}

/** A network as the API shows it; `subnets` are its own. */
export function networkView(network: Network, subnets: readonly Subnet[]): View {
  const { id, createdAt, labels = {} } = network
  return {
    ...common,
    Name: nameOfNetwork(network),
    Id: dockerId(id),
    Created: new Date(createdAt).toISOString(),
    Driver: 'bridge',
    EnableIPv6: subnets.some(({ version }) => version === 6),
    Internal: isInternal(network, subnets),
    IPAM: {
      Driver: 'default',
      Options: {},
      Config: subnets.map(({ cidr, gateway }) => ({ Subnet: cidr, ...(gateway !== null && { Gateway: gateway }) })),
    },
    Labels: labels,
  }
}

/** Nothing leads out of it. */
function isInternal({ usual }: Network, subnets: readonly Subnet[]): boolean {
  return usual !== true && subnets.length > 0 && subnets.every(({ gateway }) => gateway === null)
}

/** `Containers` of an inspect: those that run. */
export function endpointsOf({ id }: Network, containers: readonly Container[]): View {
  const entries = containers.flatMap((container) => {
    const nic = container.nics.find(({ networkId }) => networkId === id)
    if (!nic || !['running', 'paused', 'restarting'].includes(stateOf(container))) return []
    const address = (wanted: 4 | 6) => {
      const found = nic.addresses.find(({ version }) => version === wanted)
      return found ? `${found.address}/${found.prefix}` : ''
    }
    const endpoint = {
      Name: container.name,
      EndpointID: dockerId(nic.portId),
      MacAddress: nic.mac,
      IPv4Address: address(4),
      IPv6Address: address(6),
    }
    return [[dockerId(container.id), endpoint] as const]
  })
  return Object.fromEntries(entries)
}
