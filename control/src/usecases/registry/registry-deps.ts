import type { Deps } from '../../deps.ts'

/** What a registry needs of the whole. */
export type RegistryDeps = Pick<Deps, 'store' | 'blobs' | 'catalogue' | 'namespaces' | 'secrets' | 'clock' | 'ids'>
