import type { Catalogue } from '../../catalogue.ts'
import type { Deps } from '../../deps.ts'
import type { Cluster } from '../../ports/cluster.ts'
import type { ImageExchange } from '../../ports/image-exchange.ts'

/** What the pieces of the exchange share. `catalogue`: the plain one, which knows of nobody else. */
export interface ExchangeParts
  extends Pick<Deps, 'store' | 'blobs' | 'clock' | 'ids' | 'log' | 'namespaces' | 'registryDomains'> {
  readonly exchange: ImageExchange
  /** Absent: this server is the only one. */
  readonly cluster?: Pick<Cluster, 'inTurn' | 'ifFree'>
  readonly catalogue: Catalogue
}
