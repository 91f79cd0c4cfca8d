import Type, { type Static } from 'typebox'
import { maybe } from '../bodies.ts'
import { type Collection, collection, formOf } from '../collection.ts'
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

/** Nova v2.1: what is needed to know the machines that hosts run on. */
export interface ComputeService {
  readonly servers: Pick<Collection<Server, never, never>, 'list' | 'show'>
  readonly hypervisors: Pick<Collection<Hypervisor, never, never>, 'list' | 'show'>
}

const servers = formOf(Server, { path: '/servers', one: 'server', many: 'servers', listPath: '/servers/detail' })
const hypervisors = formOf(Hypervisor, {
  path: '/os-hypervisors',
  one: 'hypervisor',
  many: 'hypervisors',
  listPath: '/os-hypervisors/detail',
})

export function computeService(session: Session): ComputeService {
  const service = serviceOf(session, kinds.compute)
  return {
    servers: collection<Server, never, never>(service, servers),
    hypervisors: collection<Hypervisor, never, never>(service, hypervisors),
  }
}
