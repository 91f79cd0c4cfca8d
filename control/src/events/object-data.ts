/** What is told of objects, to the tenants whose they are: nothing secret, and no host. */
import type { FloatingIp, Network, Port, Router, SecurityGroup, Snapshot, Subnet, Volume } from '@gantry/model'

export const networkData = ({ name, shared, external }: Network) => ({ name, shared, external })

export const subnetData = ({ name, networkId, cidr }: Subnet) => ({ name, networkId, cidr })

export const portData = ({ name, networkId, deviceId, deviceOwner, fixedIps }: Port) => ({
  name,
  networkId,
  deviceId,
  deviceOwner,
  addresses: fixedIps.map(({ address }) => address),
})

export const groupData = ({ name, description }: SecurityGroup) => ({ name, description })

export const routerData = ({ name, gateway, interfaces }: Router) => ({
  name,
  gatewayNetworkId: gateway?.networkId ?? null,
  networkIds: [...new Set(interfaces.map(({ networkId }) => networkId))],
})

export const floatingIpData = ({ address, networkId, portId }: FloatingIp) => ({ address, networkId, portId })

export const volumeData = ({ name, size, status, userId }: Volume) => ({ name, size, status, owner: userId })

/** Of a snapshot or a backup. */
export const copyData = ({
  name,
  size,
  status,
  statusReason,
  volumeId,
}: Pick<Snapshot, 'name' | 'size' | 'status' | 'statusReason' | 'volumeId'>) => ({
  name,
  size,
  status,
  statusReason,
  volumeId,
})
