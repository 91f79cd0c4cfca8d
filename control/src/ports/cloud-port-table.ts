import type { ContainerId, HostId, NetworkId, ProjectId } from '@gantry/model'

/**
 * What the network provider of an OpenStack has made there, or was given, and must see to: one row for each port, for each
 * security group of a container's exposed ports, and for each floating IP that published ports share. A row is written as soon
 * as the thing is made (a given port's before it is touched), so that nothing is forgotten by whoever dies in between.
 */
export interface CloudPort {
  /** Neutron's. */
  readonly id: string
  readonly kind: 'port' | 'group' | 'address'
  /** It need not be written yet. null: of an address. */
  readonly containerId: ContainerId | null
  readonly projectId: ProjectId
  /** Only of a port. */
  readonly networkId: NetworkId | null
  /** The user's own: freed, not deleted, when its container lets go. */
  readonly given: boolean
  /** Where its container is; null: nowhere yet. */
  readonly hostId: HostId | null
  /** The host that Neutron has it bound to. */
  readonly boundTo: HostId | null
  /** To be given back; an address: unless something is published there by now. */
  readonly leaving: boolean
  readonly createdAt: number
}

export interface CloudPortTable {
  /** False: there is a row of that id, which stays as it is. */
  insert(port: CloudPort): Promise<boolean>
  get(id: string): Promise<CloudPort | undefined>
  ofContainer(containerId: ContainerId): Promise<CloudPort[]>
  /** A project's ports, on one network or on all. */
  onNetwork(projectId: ProjectId, networkId?: NetworkId): Promise<CloudPort[]>
  /** Everything that is to be given back, or is an address, of a project. */
  endingOf(projectId: ProjectId): Promise<CloudPort[]>
  /** It is this container's from now on. False: it is to be given back, or not there. */
  assign(id: string, containerId: ContainerId): Promise<boolean>
  /** Sets the host of all ports of a container. */
  place(containerId: ContainerId, hostId: HostId): Promise<void>
  bound(id: string, hostId: HostId): Promise<void>
  leave(ids: readonly string[]): Promise<void>
  /** It is to be given back, unless it is another container's by now. */
  leaveOf(id: string, containerId: ContainerId): Promise<void>
  /** It is not to be given back after all. */
  keep(id: string): Promise<void>
  remove(id: string): Promise<void>
  /** Those that are leaving, or on a host to which Neutron has not bound them; oldest first. */
  due(): Promise<CloudPort[]>
  list(): Promise<CloudPort[]>
}
