import { orAborted } from '@gantry/kernel'
import type { Context } from './call.ts'
import { type CatalogChoice, endpointOf, type Interface } from './catalog.ts'
import { jsonOf } from './log-in.ts'
import { OpenStackError } from './openstack-error.ts'
import type { ServiceKind } from './service-kind.ts'
import type { CatalogService } from './token-info.ts'
import type { Transport } from './transport.ts'
import {
  commonMicroversion,
  majorOf,
  rangeOf,
  segmentFor,
  splitVersion,
  type Version,
  versionDocument,
  versionsOf,
} from './versions.ts'

/** Where a service's calls go, and what they carry. */
export interface Place {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
}

/** Finds services for all sessions of a cloud, and remembers what their version documents said. */
export interface Directory {
  placeOf(
    kind: ServiceKind,
    shown: { readonly catalog: readonly CatalogService[]; readonly token: string },
    context: Context,
  ): Promise<Place>
}

export interface DirectoryParts {
  readonly transport: Transport
  /** Where tokens are had; Keystone itself, whatever the catalog says. */
  readonly identity: URL
  readonly interface: Interface
  readonly region: string | undefined
  /** By type of service, in place of the catalog's. */
  readonly endpoints: Readonly<Record<string, string>>
  readonly lifetime: AbortSignal
}

/** Milliseconds until a version document is read again: an upgrade must not need a restart of ours. */
const keptMs = 600_000

export function createDirectory(parts: DirectoryParts): Directory {
  const { transport, lifetime } = parts
  const read = new Map<string, { readonly versions: Promise<Version[] | null>; readonly until: number }>()

  /** Null: the service does not show one to us. */
  async function versionsAt(service: string, url: URL, token: string): Promise<Version[] | null> {
    const { status, body } = await transport.ask(
      { service, method: 'GET', url, headers: { 'x-auth-token': token }, body: null, mayRepeat: true },
      { signal: lifetime },
    )
    // 300 is what some answer when there are several versions.
    if (status > 300) {
      if (status < 500) return null
      throw new OpenStackError({
        failure: 'answer',
        service,
        method: 'GET',
        path: url.pathname,
        status,
        reason: 'its versions cannot be read',
      })
    }
    const reading = versionDocument.read(jsonOf(body))
    return 'value' in reading ? versionsOf(reading.value) : null
  }

  function versions(service: string, url: URL, token: string, { signal }: Context): Promise<Version[] | null> {
    const now = transport.clock.now()
    const known = read.get(url.href)
    if (known && known.until > now) return orAborted(known.versions, signal)
    const fresh = versionsAt(service, url, token)
    read.set(url.href, { versions: fresh, until: now + keptMs })
    fresh.catch(() => read.delete(url.href))
    return orAborted(fresh, signal)
  }

  return {
    async placeOf(kind, { catalog, token }, context) {
      const { name, api, microversions } = kind
      const unfit = (reason: string) => new OpenStackError({ failure: 'unfit', service: name, reason })
      const listed = baseOf(parts, kind, catalog)
      const { base, version, rest } = splitVersion(listed)
      const at = (path: string) => new URL(path, listed.origin)
      let place = listed
      if (api !== null) {
        const isThere = version !== null && majorOf(version) === api.major
        const offered = isThere ? null : await versions(name, at(`${base}/`), token, context)
        const segment = isThere ? version : offered ? segmentFor(api.major, offered, api.usual) : api.usual
        if (segment === null) {
          const others = offered?.map(({ id }) => id).join(', ') || 'nothing'
          throw unfit(`version ${api.major} of its API is needed, and it offers ${others}`)
        }
        place = at(`${base}/${segment}${rest}`)
      }
      if (!microversions) return { url: place, headers: {} }
      const found = splitVersion(place)
      const document = at(`${found.base}/${found.version === null ? '' : `${found.version}/`}`)
      const theirs = rangeOf((await versions(name, document, token, context)) ?? [], microversions.major)
      const { header, ownHeader, least, most } = microversions
      const chosen = theirs ? commonMicroversion(microversions, theirs) : least
      if (chosen === null) {
        throw unfit(
          `a microversion from ${least} to ${most} is needed, and it offers ${theirs?.least} to ${theirs?.most}`,
        )
      }
      const headers = ownHeader ? { [ownHeader]: chosen } : { 'openstack-api-version': `${header} ${chosen}` }
      return { url: place, headers }
    },
  }
}

function baseOf(
  { identity, interface: kind, region, endpoints }: DirectoryParts,
  { types }: ServiceKind,
  catalog: readonly CatalogService[],
): URL {
  const given = types.map((type) => endpoints[type]).find((url) => url !== undefined)
  if (given !== undefined) return new URL(given)
  if (types.includes('identity')) return identity
  const choice: CatalogChoice = { types, interface: kind, region }
  return endpointOf(catalog, choice)
}
