import type { NetworkId, ProjectId } from '@gantry/model'

/**
 * What is known here, and nowhere else, of a network at an OpenStack: that a Docker client made it, or that it is a project's usual
 * one. The row is written before Neutron is asked, so that what a dead server has half made is found again.
 */
export interface CloudNetwork {
  /** Of this row; the network's description at Neutron names it, if the network was made here. */
  readonly id: string
  /** null: not all of it is made yet. */
  readonly networkId: NetworkId | null
  readonly projectId: ProjectId
  /** At most one of a project. */
  readonly usual: boolean
  /** null: no Docker client made it. */
  readonly labels: Readonly<Record<string, string>> | null
  readonly createdAt: number
}

export interface CloudNetworkTable {
  insert(network: CloudNetwork): Promise<void>
  /** All of it is made. */
  finish(id: string, networkId: NetworkId, usual: boolean): Promise<void>
  ofProject(projectId: ProjectId): Promise<CloudNetwork[]>
  ofNetworks(ids: readonly string[]): Promise<CloudNetwork[]>
  remove(id: string): Promise<void>
  list(): Promise<CloudNetwork[]>
}
