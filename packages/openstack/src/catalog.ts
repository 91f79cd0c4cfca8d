import { OpenStackError } from './openstack-error.ts'
import type { CatalogService } from './token-info.ts'

export type Interface = 'public' | 'internal' | 'admin'

export interface CatalogChoice {
  /** Names of the service's type, the best first: `block-storage`, `volumev3`. */
  readonly types: readonly [string, ...string[]]
  readonly interface: Interface
  /** Any, if left out. */
  readonly region?: string | undefined
}

/** Where the service is, as the catalog says. Throws an error that says what the catalog has instead. */
export function endpointOf(catalog: readonly CatalogService[], choice: CatalogChoice): URL {
  const [service] = choice.types
  const entries = choice.types.flatMap((type) => catalog.filter((entry) => entry.type === type))
  const endpoints = entries.flatMap((entry) => entry.endpoints)
  const found = endpoints.find(
    ({ interface: kind, region, region_id }) =>
      // Keystone's API v2 said it so, and some catalogs still do.
      kind.replace(/URL$/, '') === choice.interface &&
      (choice.region === undefined || choice.region === (region_id ?? region)),
  )
  const unfit = (reason: string) => new OpenStackError({ failure: 'unfit', service, reason })
  if (!found) {
    const place = choice.region === undefined ? '' : ` in region ${choice.region}`
    const others = endpoints.map((one) => `${one.interface} in ${one.region_id ?? one.region ?? 'no region'}`)
    const instead = entries.length === 0 ? 'no such service' : others.join(', ') || 'no endpoint'
    throw unfit(`the catalog has no ${choice.interface} endpoint of it${place}, but ${instead}`)
  }
  if (!/^https?:/.test(found.url) || !URL.canParse(found.url)) {
    throw unfit(`the catalog's ${choice.interface} endpoint is not a URL: ${found.url}`)
  }
  return new URL(found.url)
}
