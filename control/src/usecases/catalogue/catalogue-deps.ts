import type { Deps } from '../../deps.ts'
import type { Cluster } from '../../ports/cluster.ts'

/** What the catalogue is built on: everything that does not need the catalogue itself. */
export type CatalogueDeps = Pick<
  Deps,
  | 'store'
  | 'links'
  | 'blobs'
  | 'upstream'
  | 'namespaces'
  | 'registryDomains'
  | 'secrets'
  | 'clock'
  | 'ids'
  | 'log'
  | 'policy'
> & {
  /** Absent: this server is the only one. */
  readonly cluster?: Pick<Cluster, 'inTurn'>
}
