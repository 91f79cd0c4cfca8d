import Type from 'typebox'
import { type Context, path } from '../call.ts'
import { type Collection, collection, formOf } from '../collection.ts'
import { isOpenStackError } from '../openstack-error.ts'
import { reader, within } from '../reader.ts'
import { serviceOf } from '../service.ts'
import { kinds } from '../service-kind.ts'
import type { Session } from '../session.ts'
import * as access from './network-access-bodies.ts'
import * as bodies from './network-bodies.ts'

/** Neutron v2.0. */
export interface NetworkService {
  readonly networks: Collection<bodies.Network, bodies.NetworkCreate, Partial<bodies.NetworkCreate>>
  readonly subnets: Collection<bodies.Subnet, bodies.SubnetCreate, Partial<bodies.SubnetCreate>>
  readonly subnetPools: Collection<bodies.SubnetPool, bodies.SubnetPoolCreate, Partial<bodies.SubnetPoolCreate>>
  readonly ports: Collection<bodies.Port, bodies.PortCreate, bodies.PortUpdate>
  readonly securityGroups: Collection<
    access.SecurityGroup,
    access.SecurityGroupCreate,
    Partial<access.SecurityGroupCreate>
  >
  readonly securityGroupRules: Omit<
    Collection<access.SecurityGroupRule, access.SecurityGroupRuleCreate, never>,
    'update'
  >
  /** All of them or none, by one call. */
  createRules(
    rules: readonly access.SecurityGroupRuleCreate[],
    context: Context,
  ): Promise<readonly access.SecurityGroupRule[]>
  readonly routers: Collection<access.Router, access.RouterCreate, Partial<access.RouterCreate>>
  readonly floatingIps: Collection<access.FloatingIp, access.FloatingIpCreate, access.FloatingIpUpdate>
  readonly trunks: Collection<access.Trunk, access.TrunkCreate, Pick<access.TrunkCreate, 'name'>>
  readonly agents: Pick<Collection<access.Agent, never, never>, 'list' | 'show'>
  /** Of one floating IP. */
  portForwardings(
    floatingIpId: string,
  ): Collection<access.PortForwarding, access.PortForwardingCreate, Partial<access.PortForwardingCreate>>
  /** A leg of a router in a subnet, or the port as its leg. */
  addInterface(routerId: string, leg: RouterLeg, context: Context): Promise<void>
  /** False if it had none there. */
  removeInterface(routerId: string, leg: RouterLeg, context: Context): Promise<boolean>
  addSubPorts(trunkId: string, subPorts: readonly access.SubPort[], context: Context): Promise<void>
  removeSubPorts(trunkId: string, portIds: readonly string[], context: Context): Promise<void>
  /** Each tag at most 60 characters on older clouds, 255 on newer ones. */
  addTag(sort: Tagged, id: string, tag: string, context: Context): Promise<void>
  removeTag(sort: Tagged, id: string, tag: string, context: Context): Promise<boolean>
  /** The whole of an object's tags. */
  replaceTags(sort: Tagged, id: string, tags: readonly string[], context: Context): Promise<void>
  /** What this Neutron can do beyond the core: `standard-attr-tag`, `floating-ip-port-forwarding`. */
  extensions(context: Context): Promise<ReadonlySet<string>>
  /** Limits and use of a project. */
  quota(projectId: string, context: Context): Promise<access.QuotaDetails>
  setQuota(projectId: string, limits: Readonly<Record<string, number>>, context: Context): Promise<void>
}

export type RouterLeg = { readonly subnet_id: string } | { readonly port_id: string }
export type Tagged =
  | 'networks'
  | 'subnets'
  | 'subnetpools'
  | 'ports'
  | 'security-groups'
  | 'routers'
  | 'floatingips'
  | 'trunks'

const forms = {
  networks: formOf(bodies.Network, { path: '/networks', one: 'network', many: 'networks' }),
  subnets: formOf(bodies.Subnet, { path: '/subnets', one: 'subnet', many: 'subnets' }),
  subnetPools: formOf(bodies.SubnetPool, { path: '/subnetpools', one: 'subnetpool', many: 'subnetpools' }),
  ports: formOf(bodies.Port, { path: '/ports', one: 'port', many: 'ports' }),
  groups: formOf(access.SecurityGroup, { path: '/security-groups', one: 'security_group', many: 'security_groups' }),
  rules: formOf(access.SecurityGroupRule, {
    path: '/security-group-rules',
    one: 'security_group_rule',
    many: 'security_group_rules',
  }),
  routers: formOf(access.Router, { path: '/routers', one: 'router', many: 'routers' }),
  floatingIps: formOf(access.FloatingIp, { path: '/floatingips', one: 'floatingip', many: 'floatingips' }),
  trunks: formOf(access.Trunk, { path: '/trunks', one: 'trunk', many: 'trunks' }),
  agents: formOf(access.Agent, { path: '/agents', one: 'agent', many: 'agents' }),
} as const
const forwardings = formOf(access.PortForwarding, { path: '', one: 'port_forwarding', many: 'port_forwardings' })
const extensions = within('extensions', reader(Type.Array(Type.Object({ alias: Type.String() }))))
const manyRules = within('security_group_rules', reader(Type.Array(access.SecurityGroupRule)))
const quota = within('quota', reader(access.QuotaDetails))

export function networkService(session: Session): NetworkService {
  const service = serviceOf(session, kinds.network)
  const put = async (to: string, json: unknown, context: Context, mayRepeat = true) => {
    await service.send({ method: 'PUT', path: to, ...(json !== undefined && { json }), mayRepeat }, context)
  }
  const tagPath = (sort: Tagged, id: string, tag: string) => path`/${sort}/${id}/tags/${tag}`
  return {
    networks: collection(service, forms.networks),
    subnets: collection(service, forms.subnets),
    subnetPools: collection(service, forms.subnetPools),
    ports: collection(service, forms.ports),
    securityGroups: collection(service, forms.groups),
    securityGroupRules: collection<access.SecurityGroupRule, access.SecurityGroupRuleCreate, never>(
      service,
      forms.rules,
    ),
    createRules: (rules, context) =>
      service.read(
        manyRules,
        { method: 'POST', path: '/security-group-rules', json: { security_group_rules: rules } },
        context,
      ),
    routers: collection(service, forms.routers),
    floatingIps: collection(service, forms.floatingIps),
    trunks: collection(service, forms.trunks),
    agents: collection<access.Agent, never, never>(service, forms.agents),
    portForwardings: (floatingIpId) =>
      collection(service, { ...forwardings, path: path`/floatingips/${floatingIpId}/port_forwardings` }),
    // A leg that is there already is an error, so a second attempt would tell of the first one's success as a failure.
    addInterface: (routerId, leg, context) => put(path`/routers/${routerId}/add_router_interface`, leg, context, false),
    async removeInterface(routerId, leg, context) {
      const to = path`/routers/${routerId}/remove_router_interface`
      try {
        await put(to, leg, context, false)
        return true
      } catch (error) {
        if (isOpenStackError(error, 404)) return false
        throw error
      }
    },
    addSubPorts: (trunkId, subPorts, context) =>
      put(path`/trunks/${trunkId}/add_subports`, { sub_ports: subPorts }, context, false),
    removeSubPorts: (trunkId, portIds, context) =>
      put(
        path`/trunks/${trunkId}/remove_subports`,
        { sub_ports: portIds.map((port_id) => ({ port_id })) },
        context,
        false,
      ),
    addTag: (sort, id, tag, context) => put(tagPath(sort, id, tag), undefined, context),
    removeTag: (sort, id, tag, context) => service.remove(tagPath(sort, id, tag), context),
    replaceTags: (sort, id, tags, context) => put(path`/${sort}/${id}/tags`, { tags }, context),
    async extensions(context) {
      const list = await service.read(extensions, { method: 'GET', path: '/extensions' }, context)
      return new Set(list.map(({ alias }) => alias))
    },
    quota: (projectId, context) =>
      service.read(quota, { method: 'GET', path: path`/quotas/${projectId}/details.json` }, context),
    setQuota: (projectId, limits, context) => put(path`/quotas/${projectId}`, { quota: limits }, context),
  }
}
