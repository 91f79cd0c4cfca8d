import Type, { type Static } from 'typebox'
import { maybe } from '../bodies.ts'
import { type Context, path, type Query } from '../call.ts'
import { reader, within } from '../reader.ts'
import { serviceOf } from '../service.ts'
import { kinds } from '../service-kind.ts'
import type { Session } from '../session.ts'

export const ResourceProvider = Type.Object({
  uuid: Type.String(),
  name: Type.String(),
  generation: Type.Number(),
  parent_provider_uuid: maybe(Type.String()),
})
export type ResourceProvider = Static<typeof ResourceProvider>

export const Inventory = Type.Object({
  total: Type.Number(),
  reserved: Type.Optional(Type.Number()),
  allocation_ratio: Type.Optional(Type.Number()),
})
export type Inventory = Static<typeof Inventory>

/** Placement: what is needed to see who else uses a host. */
export interface PlacementService {
  providers(filters: Query, context: Context): AsyncIterable<ResourceProvider>
  /** By resource class: `VCPU`, `MEMORY_MB`. */
  inventories(providerId: string, context: Context): Promise<Record<string, Inventory>>
}

const provider = reader(ResourceProvider)
const inventories = within('inventories', reader(Type.Record(Type.String(), Inventory)))

export function placementService(session: Session): PlacementService {
  const service = serviceOf(session, kinds.placement)
  return {
    providers: (filters, context) =>
      service.list(
        '/resource_providers',
        { key: 'resource_providers', item: provider, next: 'whole', marker: ({ uuid }) => uuid },
        filters,
        context,
      ),
    inventories: (providerId, context) =>
      service.read(inventories, { method: 'GET', path: path`/resource_providers/${providerId}/inventories` }, context),
  }
}
