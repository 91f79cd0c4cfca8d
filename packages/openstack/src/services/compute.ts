import Type, { type Static } from 'typebox'
import { maybe } from '../bodies.ts'
import type { Context } from '../call.ts'
import { type Collection, collection, formOf } from '../collection.ts'
import { reader, within } from '../reader.ts'
import { serviceOf } from '../service.ts'
import { kinds } from '../service-kind.ts'
import type { Session } from '../session.ts'

export const Server = Type.Object({
  id: Type.String(),
  name: Type.String(),
  /** ACTIVE, BUILD, ERROR, SHUTOFF, … */
  status: Type.String(),
  tenant_id: Type.Optional(Type.String()),
  addresses: Type.Optional(
    Type.Record(Type.String(), Type.Array(Type.Object({ addr: Type.String(), version: Type.Number() }))),
  ),
  metadata: Type.Optional(Type.Record(Type.String(), Type.String())),
  /** Of one whose status is ERROR. */
  fault: Type.Optional(Type.Object({ message: Type.Optional(Type.String()) })),
  /** Told to admins only. */
  'OS-EXT-SRV-ATTR:host': maybe(Type.String()),
  'OS-EXT-SRV-ATTR:hypervisor_hostname': maybe(Type.String()),
})
export type Server = Static<typeof Server>

export const Hypervisor = Type.Object({
  id: Type.String(),
  hypervisor_hostname: Type.String(),
  hypervisor_type: Type.Optional(Type.String()),
  state: Type.Optional(Type.String()),
  status: Type.Optional(Type.String()),
  host_ip: maybe(Type.String()),
  vcpus: maybe(Type.Number()),
  memory_mb: maybe(Type.Number()),
  local_gb: maybe(Type.Number()),
  running_vms: maybe(Type.Number()),
})
export type Hypervisor = Static<typeof Hypervisor>

export interface ServerCreate {
  readonly name: string
  readonly flavorRef: string
  readonly imageRef: string
  readonly networks: readonly { readonly uuid: string }[] | 'auto' | 'none'
  readonly metadata?: Readonly<Record<string, string>>
  /** Base64. */
  readonly user_data?: string
  readonly key_name?: string
  readonly security_groups?: readonly { readonly name: string }[]
  readonly availability_zone?: string
  readonly config_drive?: boolean
}

export const Flavor = Type.Object({
  id: Type.String(),
  name: Type.String(),
  vcpus: Type.Number(),
  /** MiB. */
  ram: Type.Number(),
  /** GiB. */
  disk: Type.Number(),
})
export type Flavor = Static<typeof Flavor>

export const ComputeLimits = Type.Object({
  /** Below zero: without bound. */
  maxTotalInstances: Type.Number(),
  totalInstancesUsed: Type.Number(),
})
export type ComputeLimits = Static<typeof ComputeLimits>

/** Nova v2.1: the machines that hosts run on, those that there are and those that are made. */
export interface ComputeService {
  readonly servers: Pick<Collection<Server, never, never>, 'list' | 'show' | 'remove'> & {
    /** Nova answers with little more than the id; all else is in the making. */
    create(body: ServerCreate, context: Context): Promise<{ readonly id: string }>
  }
  readonly flavors: Pick<Collection<Flavor, never, never>, 'list' | 'show'>
  readonly hypervisors: Pick<Collection<Hypervisor, never, never>, 'list' | 'show'>
  /** Of the project. */
  limits(context: Context): Promise<ComputeLimits>
}

const servers = formOf(Server, { path: '/servers', one: 'server', many: 'servers', listPath: '/servers/detail' })
const made = within('server', reader(Type.Object({ id: Type.String() })))
const absolute = within('limits', within('absolute', reader(ComputeLimits)))
const flavors = formOf(Flavor, { path: '/flavors', one: 'flavor', many: 'flavors', listPath: '/flavors/detail' })
const hypervisors = formOf(Hypervisor, {
  path: '/os-hypervisors',
  one: 'hypervisor',
  many: 'hypervisors',
  listPath: '/os-hypervisors/detail',
})

export function computeService(session: Session): ComputeService {
  const service = serviceOf(session, kinds.compute)
  return {
    servers: {
      ...collection<Server, never, never>(service, servers),
      create: (server, context) => service.read(made, { method: 'POST', path: '/servers', json: { server } }, context),
    },
    flavors: collection<Flavor, never, never>(service, flavors),
    hypervisors: collection<Hypervisor, never, never>(service, hypervisors),
    limits: (context) => service.read(absolute, { method: 'GET', path: '/limits' }, context),
  }
}
