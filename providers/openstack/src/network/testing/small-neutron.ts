import { randomUUID } from 'node:crypto'
import { OpenStackError, type Session } from '@gantry/openstack'

type Thing = Record<string, unknown> & { id: string }
type Fields = Record<string, unknown>
type Call = Parameters<Session['ask']>[1]

/**
 * As much of a Neutron as the life of a container's ports needs, in memory, for the one thing that cannot be tried on a real one:
 * a process that dies between any two calls.
 */
export interface SmallNeutron {
  readonly things: (path: string) => Thing[]
  add(path: string, fields: Fields): Thing
  /** Calls of one process. At its call number `dieAt` it dies: before the call is made, or before its answer comes. */
  process(dieAt: number, when: 'before' | 'after'): Process
}

export interface Process {
  readonly session: Session
  /** Resolves, or never does: the process is dead. Counts as a call. */
  step(): Promise<void>
  /** Resolves when it dies. */
  readonly death: Promise<void>
}

const one: Readonly<Record<string, string>> = {
  networks: 'network',
  subnets: 'subnet',
  ports: 'port',
  'security-groups': 'security_group',
  'security-group-rules': 'security_group_rule',
  routers: 'router',
  floatingips: 'floatingip',
  port_forwardings: 'port_forwarding',
  agents: 'agent',
}
const never = () => new Promise<never>(() => undefined)

export function smallNeutron(projectId: string): SmallNeutron {
  const all = new Map<string, Map<string, Thing>>()
  const of = (path: string) => {
    const known = all.get(path) ?? new Map<string, Thing>()
    all.set(path, known)
    return known
  }
  const list = (path: string) => [...of(path).values()]
  const add = (path: string, fields: Fields): Thing => {
    const thing = { id: randomUUID(), project_id: projectId, ...defaultsOf(path), ...fields }
    of(path).set(thing.id, thing)
    return thing
  }
  const defaultsOf = (path: string): Fields => {
    if (path === 'floatingips') return { floating_ip_address: '172.24.4.9', port_id: null, router_id: null }
    if (path !== 'ports') return {}
    const hex = randomUUID().slice(0, 2)
    const [subnet] = list('subnets')
    const ip = { subnet_id: subnet?.id, ip_address: `10.0.0.${(of('ports').size % 200) + 2}` }
    return { status: 'DOWN', mac_address: `fa:16:3e:00:00:${hex}`, fixed_ips: [ip], device_id: '', device_owner: '' }
  }
  const remove = (path: string, id: string) => {
    if (!of(path).has(id)) throw refused(404, 'NotFound')
    const inGroup = list('ports').some(({ security_groups: groups }) => (groups as string[] | undefined)?.includes(id))
    if (path === 'security-groups' && inGroup) throw refused(409, 'SecurityGroupInUse')
    const leads = [...all].filter(([where]) => where.endsWith('port_forwardings'))
    if (path === 'floatingips' && of(`floatingips/${id}/port_forwardings`).size > 0) throw refused(409, 'FipInUse')
    of(path).delete(id)
    if (path !== 'ports') return
    for (const [, forwardings] of leads) {
      for (const each of forwardings.values()) if (each['internal_port_id'] === id) forwardings.delete(each.id)
    }
  }
  const answer = ({ method, path, query = {}, json }: Call): Fields => {
    const parts = path.split('/').slice(1)
    const [id] = parts.length % 2 === 0 ? parts.splice(-1) : []
    const where = parts.join('/')
    const many = (parts.at(-1) ?? '').replaceAll('-', '_')
    const key = one[parts.at(-1) ?? ''] ?? ''
    if (where === 'extensions') return { extensions: [{ alias: 'floating-ip-port-forwarding' }] }
    const body = (json as Fields | undefined)?.[key] as Fields | undefined
    switch (method) {
      case 'POST': {
        const several = (json as Fields)[many] as Fields[] | undefined
        return several ? { [many]: several.map((each) => add(where, each)) } : { [key]: add(where, body ?? {}) }
      }
      case 'PUT': {
        const known = of(where).get(id ?? '')
        if (!known) throw refused(404, 'NotFound')
        return { [key]: Object.assign(known, bound(body ?? {})) }
      }
      case 'DELETE':
        remove(where, id ?? '')
        return {}
      case 'GET':
      case 'HEAD':
      case 'PATCH': {
        if (id === undefined) return { [many]: list(where).filter((each) => fits(each, query)) }
        const known = of(where).get(id)
        if (!known) throw refused(404, 'NotFound')
        return { [key]: known }
      }
    }
  }
  return {
    things: list,
    add,
    process(dieAt, when) {
      let calls = 0
      const death = Promise.withResolvers<void>()
      const mortal = async <T>(work: () => T): Promise<T> => {
        calls += 1
        if (calls === dieAt) death.resolve()
        // What was under way when it died may still be done there; nobody hears of it.
        if (calls > dieAt || (calls === dieAt && when === 'before')) return never()
        const result = work()
        await new Promise((resolve) => setImmediate(resolve))
        return calls >= dieAt ? never() : result
      }
      const session: Session = {
        info: never,
        token: never,
        endpoint: never,
        stream: never,
        ask: (_kind, call) =>
          mortal(() => ({
            status: 200,
            headers: {},
            body: Buffer.from(JSON.stringify(answer(call))),
            attempts: 1,
          })),
      }
      return { session, step: () => mortal(() => undefined), death: death.promise }
    },
  }
}

function bound(change: Fields): Fields {
  const host = change['binding:host_id']
  return host === undefined ? change : { ...change, 'binding:vif_type': host === '' ? 'unbound' : 'bridge' }
}

function fits(thing: Thing, query: NonNullable<Call['query']>): boolean {
  return Object.entries(query).every(([key, wanted]) => {
    if (wanted === undefined || key === 'limit' || key === 'marker') return true
    return [wanted].flat().map(String).includes(String(thing[key]))
  })
}

function refused(status: number, code: string): OpenStackError {
  return new OpenStackError({ failure: 'answer', service: 'network', status, code, reason: code })
}
