import type { Deps } from '../../deps.ts'

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
>
