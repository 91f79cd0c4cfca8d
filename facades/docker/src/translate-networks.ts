import type { Control, NetRequest } from '@gantry/control'
import type { Caller, RunOptions } from '@gantry/model'
import type { DockerContext } from './context.ts'
import type { HostConfigBody } from './schemas-create.ts'

// A first form, to be replaced by networks in full.

export interface AskedNets {
  readonly host: HostConfigBody
  readonly networking: Readonly<Record<string, unknown>>
  /** Minor version of the client. */
  readonly minor: number
}

export async function netsOf(
  _docker: DockerContext,
  _caller: Caller,
  { host }: AskedNets,
): Promise<{ nets: NetRequest[]; unplugged: boolean; options: RunOptions }> {
  return { nets: [], unplugged: host.NetworkMode === 'none', options: {} }
}

/** Names of the networks that the caller sees, by id. */
export async function networkNames({ network }: Control, caller: Caller): Promise<ReadonlyMap<string, string>> {
  return new Map((await network.networks.list(caller)).map(({ id, name }) => [id, name]))
}
