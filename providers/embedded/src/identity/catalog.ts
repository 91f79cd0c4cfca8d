import type {
  CatalogEndpoint,
  CatalogService,
  Collection,
  NewEndpoint,
  NewRegion,
  NewService,
  Region,
} from '@gantry/control'
import { Fault } from '@gantry/kernel'
import { collection } from './collection.ts'
import { newId, type Parts } from './parts.ts'
import { found } from './policy.ts'

export function regions(parts: Parts): Collection<Region, NewRegion> {
  const { store, ids } = parts
  const checkParent = async (id: string | null | undefined) => {
    if (id !== null && id !== undefined) await found(store.regions.get(id), 'region', id)
  }
  return collection<Region, NewRegion>(parts, {
    type: 'region',
    table: store.regions,
    readable: 'all',
    async make(_asker, { id = newId(ids), description = '', parentRegionId = null }) {
      await checkParent(parentRegionId)
      return { id, description, parentRegionId }
    },
    async change(current, { id = current.id, ...change }) {
      if (id !== current.id) throw new Fault('request.invalid', { problem: 'A region keeps its id.' })
      await checkParent(change.parentRegionId)
      return change
    },
    async removing({ id }) {
      const below = await store.regions.list({ parentRegionId: id })
      const used = await store.endpoints.list({ regionId: id })
      if (below.length + used.length > 0) {
        throw new Fault('identity.refused', { reason: `Region ${id} still has endpoints or regions below it.` })
      }
      return []
    },
  })
}

export function services(parts: Parts): Collection<CatalogService, NewService> {
  const { store, ids } = parts
  return collection<CatalogService, NewService>(parts, {
    type: 'service',
    table: store.services,
    make: async (_asker, { type, name = '', description = '', enabled = true }) => ({
      id: newId(ids),
      type,
      name,
      description,
      enabled,
    }),
    change: async (_current, change) => change,
  })
}

export function endpoints(parts: Parts): Collection<CatalogEndpoint, NewEndpoint> {
  const { store, ids } = parts
  /** Keystone answers 400, not 404, for a service or region that an endpoint names and that does not exist. */
  const check = async ({ serviceId, regionId }: Partial<NewEndpoint>) => {
    if (serviceId !== undefined && !(await store.services.get(serviceId))) throw missing('service', serviceId)
    if (typeof regionId === 'string' && !(await store.regions.get(regionId))) throw missing('region', regionId)
  }
  return collection<CatalogEndpoint, NewEndpoint>(parts, {
    type: 'endpoint',
    table: store.endpoints,
    async make(_asker, { regionId = null, enabled = true, ...input }) {
      await check({ ...input, regionId })
      return { id: newId(ids), ...input, regionId, enabled }
    },
    async change(_current, change) {
      await check(change)
      return change
    },
  })
}

function missing(type: string, id: string): Fault {
  return new Fault('request.invalid', { problem: `The ${type} ${id} of the endpoint does not exist.` })
}
