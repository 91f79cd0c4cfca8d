import { allOf, type CloudService, type Context, type Endpoint, type IdentityService } from '@gantry/openstack'
import { Failure } from '../failure.ts'
import type { Ledger } from './ledger.ts'

/** What Gantry is in the catalog of a cloud. Images, networks and log-ins are the cloud's own services there. */
const catalogEntries = [
  { type: 'container', name: 'zun', description: 'Containers (Gantry)', path: '/container/v1' },
  { type: 'docker', name: 'gantry-docker', description: 'Docker API (Gantry)', path: '/docker' },
] as const
export type CatalogEntry = (typeof catalogEntries)[number]

export const interfaces = ['public', 'internal', 'admin'] as const
export type Urls = Readonly<Record<(typeof interfaces)[number], string>>

export interface CatalogOptions {
  readonly region: string
  /** Where Gantry answers, without a path. */
  readonly urls: Urls
  /** Endpoints that lead to something else may be led here. */
  readonly replace: boolean
}

export async function enterCatalog(
  identity: IdentityService,
  ledger: Ledger,
  { region, urls, replace }: CatalogOptions,
  context: () => Context,
): Promise<void> {
  for (const entry of catalogEntries) {
    const { type, name, description } = entry
    const found = await serviceOf(identity, entry, context)
    const service = await ledger.ensure('service', `${type} (${name})`, found, () =>
      identity.services.create({ type, name, description }, context()),
    )
    const there = service ? await endpointsOf(identity, service, region, context) : []
    for (const kind of interfaces) {
      const url = `${urls[kind]}${entry.path}`
      const label = `${kind} of ${type} in ${region}: ${url}`
      const endpoints = there.filter((one) => one.interface === kind)
      if (endpoints.length === 0) {
        await ledger.note('endpoint', label, 'created', () =>
          identity.endpoints.create(
            { service_id: service?.id ?? '', interface: kind, url, region_id: region },
            context(),
          ),
        )
      }
      for (const { id, url: before } of endpoints) {
        if (before === url) await ledger.note('endpoint', label, 'kept')
        else {
          if (!isOurs(before, entry) && !replace) throw taken(kind, entry, before)
          await ledger.note('endpoint', `${label} (was ${before})`, 'changed', () =>
            identity.endpoints.update(id, { url }, context()),
          )
        }
      }
    }
  }
}

/** Takes out what leads to a Gantry in the region, and services that then have no endpoint anywhere. */
export async function leaveCatalog(
  identity: IdentityService,
  ledger: Ledger,
  region: string,
  context: () => Context,
): Promise<void> {
  for (const entry of catalogEntries) {
    const service = await serviceOf(identity, entry, context)
    if (!service) continue
    const all = await allOf(identity.endpoints.list({ service_id: service.id }, context()))
    const ours = all.filter((one) => one.region_id === region && isOurs(one.url, entry))
    for (const { id, interface: kind, url } of ours) {
      await ledger.note('endpoint', `${kind} of ${entry.type} in ${region}: ${url}`, 'removed', () =>
        identity.endpoints.remove(id, context()),
      )
    }
    const name = `${entry.type} (${service.name ?? ''})`
    if (ours.length < all.length) await ledger.note('service', `${name}, which has other endpoints`, 'kept')
    else await ledger.note('service', name, 'removed', () => identity.services.remove(service.id, context()))
  }
}

/** Of several of a type the first that clients take: they go by type. */
async function serviceOf(identity: IdentityService, { type }: CatalogEntry, context: () => Context) {
  const all = await allOf(identity.services.list({ type }, context()))
  return all.find(({ enabled }) => enabled) ?? all[0] ?? null
}

function endpointsOf(identity: IdentityService, { id }: CloudService, region: string, context: () => Context) {
  const filters = { service_id: id, region_id: region }
  return allOf<Endpoint>(identity.endpoints.list(filters, context()))
}

function isOurs(url: string, { path }: CatalogEntry): boolean {
  return url.replace(/\/+$/, '').endsWith(path)
}

function taken(kind: string, { type }: CatalogEntry, url: string): Failure {
  return new Failure(`The catalog's ${kind} endpoint of ${type} is ${url}, which is not Gantry's.`, {
    remedy: 'If Gantry is to take its place, say --replace.',
  })
}
