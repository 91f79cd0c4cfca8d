import type { Caller, Publish } from '@gantry/model'
import type { DockerContext } from './context.ts'
import type { ConfigBody, HostConfigBody } from './schemas-create.ts'

// A first form, to be replaced by published ports in full.

export async function portsOf(
  _docker: DockerContext,
  _caller: Caller,
  _asked: { readonly config: ConfigBody; readonly host: HostConfigBody },
): Promise<{ publish: Publish[]; exposedPorts: string[] }> {
  return { publish: [], exposedPorts: [] }
}
