import type { MountRequest } from '@gantry/control'
import type { Caller } from '@gantry/model'
import type { DockerContext } from './context.ts'
import type { ConfigBody, HostConfigBody } from './schemas-create.ts'

// A first form, to be replaced by volumes in full.

export async function mountsOf(
  _docker: DockerContext,
  _caller: Caller,
  _asked: { readonly config: ConfigBody; readonly host: HostConfigBody },
): Promise<{ mounts: MountRequest[]; tmpfs: Record<string, string> }> {
  return { mounts: [], tmpfs: {} }
}

/** What `GET /volumes` and `/system/df` list. */
export async function volumeViews(_docker: DockerContext, _caller: Caller): Promise<Record<string, unknown>[]> {
  return []
}
