import { randomUUID } from 'node:crypto'
import type { NetRequest, NetworkVerbs } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type {
  Caller,
  FloatingIp,
  FloatingIpId,
  Network,
  NetworkId,
  Nic,
  Port,
  PortForwardingId,
  PortId,
  ProjectId,
  Router,
  RouterId,
  SecurityGroup,
  SecurityGroupId,
  SecurityGroupRule,
  SecurityGroupRuleId,
  Subnet,
  SubnetId,
} from '@gantry/model'
import { Shelf } from './shelf.ts'

const named = ({ name }: { name: string }): string[] => [name]
const code = 'network.not-found'
const usual = { name: 'private', shared: false, external: false }

/** Networks in memory: every network's first subnet gives addresses from .2 on. There is a network `public`. */
export class FakeNetwork {
  readonly networks = new Shelf<Network>('network', code, named, ({ shared, external }) => shared || external)
  readonly subnets = new Shelf<Subnet>('subnet', code, named)
  readonly ports = new Shelf<Port>('port', code, named)
  readonly groups = new Shelf<SecurityGroup>('security group', code, named)
  readonly routers = new Shelf<Router>('router', code, named)
  readonly floatingIps = new Shelf<FloatingIp>('floating IP', code, ({ address }) => [address])
  #last = 1

  constructor() {
    const projectId = 'project-admin' as ProjectId
    const id = randomUUID() as NetworkId
    this.networks.add({ id, projectId, name: 'public', shared: false, external: true, mtu: 1500, createdAt: 0 })
  }

  /** What a container is plugged into; the project's own network, made when it is first needed, for no `nets`. */
  plug(caller: Caller, containerId: string, nets: readonly NetRequest[] = [], groups: readonly string[] = []): Nic[] {
    const asked = nets.length > 0 ? nets : [{ network: this.#own(caller).id, addresses: [] }]
    return asked.map((net) => {
      const made = 'port' in net ? this.ports.find(caller, net.port) : this.#portOn(caller, net, groups)
      if (made.deviceId !== null) {
        throw new Fault('network.in-use', { type: 'port', ref: made.id, reason: 'a container has it' })
      }
      this.ports.add({ ...made, deviceId: containerId, deviceOwner: 'compute:kuryr' })
      return nicOf(made)
    })
  }

  unplug(nics: readonly Nic[]): void {
    for (const { portId } of nics) {
      const port = this.ports.all().find(({ id }) => id === portId)
      if (port?.preserve) this.ports.add({ ...port, deviceId: null, deviceOwner: '' })
      else if (port) this.ports.remove(asOwner(port.projectId), port.id)
    }
  }

  #own(caller: Caller): Network {
    const found = this.networks.all().find(({ projectId, external }) => projectId === caller.projectId && !external)
    return found ?? this.#network(caller, { name: 'default', shared: false, external: false })
  }

  #network(caller: Caller, input: Pick<Network, 'name' | 'shared' | 'external'>): Network {
    const id = randomUUID() as NetworkId
    return this.networks.add({ id, projectId: caller.projectId, mtu: 1500, createdAt: 0, ...input })
  }

  #portOn(
    caller: Caller,
    net: { readonly network: string; readonly addresses?: readonly string[] },
    groups: readonly string[] = [],
  ): Port {
    const network = this.networks.find(caller, net.network)
    const subnet = this.subnets.all().find(({ networkId }) => networkId === network.id)
    const base = subnet?.cidr.replace(/\d+\/.*$/, '') ?? '10.0.0.'
    this.#last += 1
    const address = net.addresses?.[0] ?? `${base}${this.#last}`
    return this.ports.add({
      id: randomUUID() as PortId,
      projectId: caller.projectId,
      networkId: network.id,
      name: '',
      mac: `fa:16:3e:00:00:${this.#last.toString(16).padStart(2, '0')}`,
      fixedIps: [{ subnetId: subnet?.id ?? ('s0' as SubnetId), address }],
      groups: groups.map((group) => this.groups.find(caller, group).id),
      filtered: true,
      deviceId: null,
      deviceOwner: '',
      hostId: null,
      preserve: false,
      createdAt: 0,
    })
  }

  #fresh(): string {
    this.#last += 1
    return `172.24.4.${this.#last}`
  }

  readonly verbs: NetworkVerbs = {
    networks: {
      create: async (caller, input) => {
        if ((input.shared || input.external) && !caller.isAdmin) {
          throw new Fault('policy.forbidden', { action: 'Sharing networks', reason: 'it is for administrators only' })
        }
        return this.#network(caller, input)
      },
      list: async (caller, options) => this.networks.list(caller, options?.allProjects),
      get: async (caller, ref) => this.networks.find(caller, ref),
      rename: async (caller, ref, name) => this.networks.change(caller, ref, { name }),
      ensureUsual: async (caller) => this.networks.list(caller)[0] ?? this.#network(caller, usual),
      createWhole: async (caller, { name }) => this.#network(caller, { ...usual, name }),
      deleteWhole: async (caller, ref) => void this.networks.remove(caller, this.networks.find(caller, ref).id),
      delete: async (caller, ref) => {
        const { id } = this.networks.find(caller, ref)
        if (this.ports.all().some(({ networkId, deviceId }) => networkId === id && deviceId !== null)) {
          throw new Fault('network.in-use', { type: 'network', ref, reason: 'containers are on it' })
        }
        this.networks.remove(caller, id)
      },
    },
    subnets: {
      create: async (caller, { network, name, cidr, gateway, pools = [], dnsServers = [] }) => {
        const { id: networkId } = this.networks.find(caller, network)
        if (!/^[\d.]+\/\d+$|:/.test(cidr)) throw new Fault('request.invalid', { problem: `${cidr} is not a CIDR.` })
        const first = cidr.replace(/\d+\/.*$/, '1')
        return this.subnets.add({
          id: randomUUID() as SubnetId,
          networkId,
          projectId: caller.projectId,
          name,
          version: cidr.includes(':') ? 6 : 4,
          cidr,
          gateway: gateway === undefined ? first : gateway,
          pools,
          dnsServers,
          createdAt: 0,
        })
      },
      list: async (caller, options) => {
        const of = options?.network === undefined ? undefined : this.networks.find(caller, options.network).id
        return this.subnets.list(caller).filter(({ networkId }) => of === undefined || networkId === of)
      },
      get: async (caller, ref) => this.subnets.find(caller, ref),
      delete: async (caller, ref) => void this.subnets.remove(caller, ref),
    },
    ports: {
      create: async (caller, { network, name, groups, fixedIps = [], mac, filtered = true }) => {
        const addresses = fixedIps.flatMap(({ address }) => (address === undefined ? [] : [address]))
        const made = this.#portOn(caller, { network, addresses }, groups)
        return this.ports.add({ ...made, name, filtered, preserve: true, mac: mac ?? made.mac })
      },
      list: async (caller, options) => {
        const of = options?.network === undefined ? undefined : this.networks.find(caller, options.network).id
        return this.ports
          .list(caller)
          .filter(({ networkId }) => of === undefined || networkId === of)
          .filter(({ deviceId }) => options?.device === undefined || deviceId === options.device)
      },
      get: async (caller, ref) => this.ports.find(caller, ref),
      update: async (caller, ref, { groups, ...change }) => {
        const ids = groups?.map((group) => this.groups.find(caller, group).id)
        return this.ports.change(caller, ref, { ...change, ...(ids === undefined ? {} : { groups: ids }) })
      },
      delete: async (caller, ref) => void this.ports.remove(caller, ref),
    },
    groups: {
      create: async (caller, input) => {
        const id = randomUUID() as SecurityGroupId
        const rules = ([4, 6] as const).map((version) => aRule(id, { direction: 'egress', version }))
        return this.groups.add({ id, projectId: caller.projectId, ...input, rules, createdAt: 0 })
      },
      list: async (caller) => this.groups.list(caller),
      get: async (caller, ref) => this.groups.find(caller, ref),
      delete: async (caller, ref) => void this.groups.remove(caller, ref),
      addRule: async (caller, ref, { remoteGroup, version = 4, ...rule }) => {
        const group = this.groups.find(caller, ref)
        const remoteGroupId = remoteGroup === null ? null : this.groups.find(caller, remoteGroup).id
        const made = aRule(group.id, { ...rule, version, remoteGroupId })
        this.groups.add({ ...group, rules: [...group.rules, made] })
        return made
      },
      removeRule: async (caller, ruleId) => {
        const group = this.groups.list(caller).find(({ rules }) => rules.some(({ id }) => id === ruleId))
        if (!group) throw new Fault(code, { type: 'rule', ref: ruleId })
        this.groups.add({ ...group, rules: group.rules.filter(({ id }) => id !== ruleId) })
      },
    },
    routers: {
      create: async (caller, { name }) => {
        const id = randomUUID() as RouterId
        return this.routers.add({ id, projectId: caller.projectId, name, gateway: null, interfaces: [], createdAt: 0 })
      },
      list: async (caller) => this.routers.list(caller),
      get: async (caller, ref) => this.routers.find(caller, ref),
      delete: async (caller, ref) => void this.routers.remove(caller, ref),
      setGateway: async (caller, ref, asked) => {
        if (asked === null) return this.routers.change(caller, ref, { gateway: null })
        const { id: networkId } = this.networks.find(caller, asked.network)
        const gateway = { networkId, portId: randomUUID() as PortId, address: this.#fresh(), snat: asked.snat }
        return this.routers.change(caller, ref, { gateway })
      },
      addInterface: async (caller, ref, to) => {
        const { interfaces } = this.routers.find(caller, ref)
        const subnet = this.#subnetOf(caller, to)
        const { id: subnetId, networkId } = subnet
        const made = { portId: randomUUID() as PortId, networkId, subnetId, address: subnet.gateway ?? '' }
        return this.routers.change(caller, ref, { interfaces: [...interfaces, made] })
      },
      removeInterface: async (caller, ref, from) => {
        const { interfaces } = this.routers.find(caller, ref)
        const { id } = this.#subnetOf(caller, from)
        return this.routers.change(caller, ref, { interfaces: interfaces.filter(({ subnetId }) => subnetId !== id) })
      },
    },
    publishedOf: async () => new Map(),
    floatingIps: {
      create: async (caller, { network = 'public', address, port }) => {
        const made: FloatingIp = {
          id: randomUUID() as FloatingIpId,
          projectId: caller.projectId,
          networkId: this.networks.find(caller, network).id,
          address: address ?? this.#fresh(),
          portId: null,
          fixedAddress: null,
          routerId: null,
          forwardings: [],
          createdAt: 0,
        }
        return this.floatingIps.add({ ...made, ...this.#target(caller, port ?? null) })
      },
      list: async (caller) => this.floatingIps.list(caller),
      get: async (caller, ref) => this.floatingIps.find(caller, ref),
      associate: async (caller, ref, port) => this.floatingIps.change(caller, ref, this.#target(caller, port)),
      delete: async (caller, ref) => void this.floatingIps.remove(caller, ref),
      addForwarding: async (caller, ref, { port, address, ...input }) => {
        const { forwardings } = this.floatingIps.find(caller, ref)
        const { portId, fixedAddress } = this.#target(caller, port)
        const id = randomUUID() as PortForwardingId
        const made = { id, ...input, portId: portId ?? ('' as PortId), address: address ?? fixedAddress ?? '' }
        this.floatingIps.change(caller, ref, { forwardings: [...forwardings, made] })
        return made
      },
      removeForwarding: async (caller, ref, forwardingId) => {
        const { forwardings } = this.floatingIps.find(caller, ref)
        this.floatingIps.change(caller, ref, { forwardings: forwardings.filter(({ id }) => id !== forwardingId) })
      },
    },
  }

  #subnetOf(caller: Caller, by: { subnet: string } | { port: string }): Subnet {
    if ('subnet' in by) return this.subnets.find(caller, by.subnet)
    const [first] = this.ports.find(caller, by.port).fixedIps
    return this.subnets.find(caller, first?.subnetId ?? '')
  }

  #target(caller: Caller, ref: string | null): Pick<FloatingIp, 'portId' | 'fixedAddress'> {
    if (ref === null) return { portId: null, fixedAddress: null }
    const port = this.ports.find(caller, ref)
    return { portId: port.id, fixedAddress: port.fixedIps[0]?.address ?? null }
  }
}

function aRule(groupId: SecurityGroupId, rule: Partial<SecurityGroupRule>): SecurityGroupRule {
  const anything = { protocol: null, portMin: null, portMax: null, remoteGroupId: null, remotePrefix: null }
  const id = randomUUID() as SecurityGroupRuleId
  return { id, groupId, direction: 'ingress', version: 4, ...anything, ...rule }
}

function nicOf({ id, networkId, mac, fixedIps, groups, filtered, preserve }: Port): Nic {
  const addresses = fixedIps.map(({ address, subnetId }) => {
    return { address, prefix: 24, version: address.includes(':') ? 6 : 4, subnetId, gateway: null } as const
  })
  return { portId: id, networkId, mac, addresses, groups: [...groups], filtered, preserve }
}

function asOwner(projectId: ProjectId): Caller {
  return { projectId, isAdmin: true } as Caller
}
