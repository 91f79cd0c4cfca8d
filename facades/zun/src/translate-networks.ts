import type { Network, Nic } from '@gantry/model'

/** A container's addresses by the id of their network. */
export function toAddresses(nics: readonly Nic[]): Record<string, object[]> {
  const entries = [...Map.groupBy(nics, ({ networkId }) => networkId)].map(([network, found]): [string, object[]] => [
    network,
    found.flatMap(addressesOf),
  ])
  return Object.fromEntries(entries)
}

function addressesOf({ portId, preserve, addresses }: Nic): object[] {
  return addresses.map(({ address, version, subnetId }) => ({
    addr: address,
    version,
    port: portId,
    subnet_id: subnetId,
    preserve_on_delete: preserve,
  }))
}

/** Ids of the security groups that any of its ports is in. */
export function toGroups(nics: readonly Nic[]): string[] {
  return [...new Set(nics.flatMap(({ groups }) => groups))]
}

/** `network_list`; one flat entry an address before 1.18. */
export function toNetworks(nics: readonly Nic[], minor: number): object[] {
  if (minor < 18) {
    return nics.flatMap(({ networkId, portId, addresses }) =>
      addresses.map(({ address, version, subnetId }) => ({
        net_id: networkId,
        subnet_id: subnetId,
        port_id: portId,
        version,
        ip_address: address,
      })),
    )
  }
  return nics.map(({ networkId, portId, addresses }) => ({
    net_id: networkId,
    port_id: portId,
    fixed_ips: addresses.map(({ address, version, subnetId }) => ({
      ip_address: address,
      version,
      subnet_id: subnetId,
    })),
  }))
}

/** A network as `POST /v1/networks` answers: here it needs no record beside Neutron's, so one id stands for all. */
export function toRegisteredNetwork({ id, projectId }: Network, name: string, userId: string): object {
  return { uuid: id, name, project_id: projectId, user_id: userId, network_id: id, neutron_net_id: id }
}
