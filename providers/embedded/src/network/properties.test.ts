import { blockOf, parseAddress } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { Caller, ContainerId } from '@gantry/model'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { aCloud, admin, ann, aNetwork, bob, type Cloud } from './testing/a-cloud.ts'
import { defectsOf, ofOthers, type WholeState, wholeState } from './testing/whole-state.ts'

/** A shared machine is slow at times. */
const patienceMs = 60_000
const callers = { ann, bob, admin } as const

interface Turn {
  readonly world: Cloud
  readonly caller: Caller
  /** The id of one of these: mostly the caller's. */
  readonly any: (kind: keyof WholeState) => string
  readonly number: number
  readonly containers: Set<string>
}

const cidrs = ['10.0.0.0/29', '10.0.0.0/24', '10.0.1.0/30', 'fd00::/64', '172.24.4.0/28']
const tcp = { direction: 'ingress', protocol: 'tcp', portMax: null, remotePrefix: null } as const

/** Every verb, with arguments that often fit and often do not. */
const verbs: Readonly<Record<string, (turn: Turn) => Promise<unknown>>> = {
  network: ({ world, caller, number }) =>
    world.cloud.networks.create(caller, { name: 'n', shared: number % 3 === 0 && caller.isAdmin, external: false }),
  subnet: ({ world, caller, any, number }) =>
    world.cloud.subnets.create(caller, {
      network: any('networks'),
      name: '',
      cidr: cidrs[number % cidrs.length] ?? '',
    }),
  port: ({ world, caller, any, number }) =>
    world.cloud.ports.create(caller, {
      network: any('networks'),
      name: '',
      ...(number % 3 === 0 ? { groups: [any('groups')] } : {}),
      ...(number % 4 === 0 ? { fixedIps: [{ address: `10.0.0.${number % 10}` }] } : {}),
    }),
  group: ({ world, caller }) => world.cloud.groups.create(caller, { name: 'g', description: '' }),
  rule: ({ world, caller, any, number }) =>
    world.cloud.groups.addRule(caller, any('groups'), {
      ...tcp,
      portMin: 1 + (number % 3),
      remoteGroup: number % 2 === 0 ? any('groups') : null,
    }),
  router: ({ world, caller }) => world.cloud.routers.create(caller, { name: 'r' }),
  gateway: ({ world, caller, any, number }) =>
    world.cloud.routers.setGateway(caller, any('routers'), number % 3 === 0 ? null : { network: 'public', snat: true }),
  plug: ({ world, caller, any, number }) =>
    world.cloud.routers.addInterface(
      caller,
      any('routers'),
      number % 3 === 0 ? { port: any('ports') } : { subnet: any('subnets') },
    ),
  unplug: ({ world, caller, any }) =>
    world.cloud.routers.removeInterface(caller, any('routers'), { subnet: any('subnets') }),
  floatingIp: ({ world, caller, any, number }) =>
    world.cloud.floatingIps.create(caller, number % 3 === 0 ? { port: any('ports') } : {}),
  associate: ({ world, caller, any, number }) =>
    world.cloud.floatingIps.associate(caller, any('floatingIps'), number % 4 === 0 ? null : any('ports')),
  forward: ({ world, caller, any, number }) =>
    world.cloud.floatingIps.addForwarding(caller, any('floatingIps'), {
      protocol: 'tcp',
      externalPort: 1 + (number % 3),
      port: any('ports'),
      internalPort: 80,
    }),
  changePort: ({ world, caller, any, number }) =>
    world.cloud.ports.update(caller, any('ports'), number % 2 === 0 ? { groups: [any('groups')] } : { name: 'x' }),
  run: async ({ world, caller, any, number, containers }) => {
    const nets = [[], [{ network: any('networks'), addresses: [] }], [{ port: any('ports') }]][number % 3] ?? []
    const { id } = await world.run(caller, { nets, exposedPorts: number % 2 === 0 ? ['80'] : [] })
    containers.add(id)
  },
  forget: async ({ world, number, containers }) => {
    const id = [...containers][number % Math.max(1, containers.size)]
    if (id === undefined) return
    await world.forget(id as ContainerId)
    containers.delete(id)
  },
  deleteNetwork: ({ world, caller, any }) => world.cloud.networks.delete(caller, any('networks')),
  deleteSubnet: ({ world, caller, any }) => world.cloud.subnets.delete(caller, any('subnets')),
  deletePort: ({ world, caller, any }) => world.cloud.ports.delete(caller, any('ports')),
  deleteGroup: ({ world, caller, any }) => world.cloud.groups.delete(caller, any('groups')),
  deleteRouter: ({ world, caller, any }) => world.cloud.routers.delete(caller, any('routers')),
  deleteFloatingIp: ({ world, caller, any }) => world.cloud.floatingIps.delete(caller, any('floatingIps')),
}

const step = fc.record({
  verb: fc.constantFrom(...Object.keys(verbs)),
  who: fc.constantFrom<keyof typeof callers>('ann', 'ann', 'bob', 'admin'),
  which: fc.nat(1000),
  number: fc.nat(20),
})
type Step = { verb: string; who: keyof typeof callers; which: number; number: number }

/** Enough to be in each other's way from the first step on. */
async function crowded(): Promise<{ world: Cloud; containers: Set<string> }> {
  const world = await aCloud({ publicCidr: '172.24.4.0/28' })
  const containers = new Set<string>()
  for (const caller of [ann, ann, bob]) containers.add((await world.run(caller)).id)
  for (const caller of [ann, bob]) {
    const network = await aNetwork(world, caller, 'own', '10.0.0.0/29')
    await world.cloud.ports.create(caller, { network, name: 'free' })
    await aNetwork(world, caller, 'spare', '10.3.0.0/24')
    await world.cloud.floatingIps.create(caller, {})
    await world.cloud.groups.create(caller, { name: 'g', description: '' })
  }
  return { world, containers }
}

async function take(
  world: Cloud,
  state: WholeState,
  containers: Set<string>,
  { verb, who, which, number }: Step,
): Promise<boolean> {
  let calls = 0
  const any = (kind: keyof WholeState) => {
    const own = state[kind].filter(({ projectId }) => projectId === callers[who].projectId)
    // Mostly the caller's, so that most steps do something.
    const among = which % 4 > 0 && own.length > 0 ? own : state[kind]
    calls += 1
    return among[(which * calls) % Math.max(1, among.length)]?.id ?? 'none'
  }
  try {
    await verbs[verb]?.({ world, caller: callers[who], any, number, containers })
    return true
  } catch (error) {
    if (error instanceof Fault && error.kind !== 'internal') return false
    throw error
  }
}

test(
  'no sequence of verbs leaves a reference that leads nowhere, or an address given twice',
  async () => {
    const done = new Map<string, number>()
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 40, maxLength: 60 }), async (steps) => {
        const { world, containers } = await crowded()
        await using _world = world
        let state = await wholeState(world.store)
        for (const next of steps) {
          if (await take(world, state, containers, next)) done.set(next.verb, (done.get(next.verb) ?? 0) + 1)
          state = await wholeState(world.store)
          expect(defectsOf(state, containers)).toEqual([])
        }
      }),
      { numRuns: 20 },
    )
    // Else the arguments fit too seldom for this to say anything.
    expect(done.size).toBeGreaterThan(Object.keys(verbs).length - 3)
  },
  patienceMs,
)

test(
  'a stranger changes nothing of others, and sees nothing of theirs but what is for all',
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async (steps) => {
        const { world, containers } = await crowded()
        await using _world = world
        let before = await wholeState(world.store)
        for (const next of steps) {
          const caller = callers[next.who]
          const isByUser = !caller.isAdmin && next.verb !== 'forget'
          const done = await take(world, before, containers, next)
          const after = await wholeState(world.store)
          if (!done) expect(after).toEqual(before)
          // What serves a project belongs to nobody.
          const theirs = [caller.projectId, '' as Caller['projectId']]
          if (isByUser) expect(ofOthers(after, theirs)).toEqual(ofOthers(before, theirs))
          before = after
        }
        for (const caller of [ann, bob]) expect(await seenOfOthers(world, caller)).toEqual([])
      }),
      { numRuns: 20 },
    )
  },
  patienceMs,
)

async function seenOfOthers({ cloud, store }: Cloud, caller: Caller): Promise<string[]> {
  const state = await wholeState(store)
  const forAll = new Set(
    state.networks.filter(({ shared, external }) => shared || external).map(({ id }) => id as string),
  )
  const may = (row: { id: string; projectId: string; networkId?: string }) =>
    row.projectId === caller.projectId ||
    forAll.has(row.id) ||
    (row.networkId !== undefined && forAll.has(row.networkId))
  const { networks, subnets, ports, groups, routers, floatingIps } = cloud
  const own = (row: { projectId: string }) => row.projectId === caller.projectId
  const listed = [
    ...(await networks.list(caller)).filter((row) => !may(row)),
    ...(await subnets.list(caller)).filter((row) => !may(row)),
    ...[await ports.list(caller), await groups.list(caller), await routers.list(caller), await floatingIps.list(caller)]
      .flat()
      .filter((row) => !own(row)),
  ].map(({ id }) => `${id} is listed`)
  const found: string[] = []
  const readers = { networks, subnets, ports, groups, routers, floatingIps }
  for (const kind of ['networks', 'subnets', 'ports', 'groups', 'routers', 'floatingIps'] as const) {
    const visible = kind === 'networks' || kind === 'subnets' ? may : own
    for (const row of state[kind]) {
      if (visible(row)) continue
      await readers[kind].get(caller, row.id).then(
        () => found.push(`${kind} ${row.id} is read`),
        (error: unknown) => expect(error).toMatchObject({ code: 'network.not-found' }),
      )
    }
  }
  return [...listed, ...found]
}

test(
  'sixteen creates at once fill a pool to the last address, never outside it and never twice',
  async () => {
    const range = fc.tuple(fc.integer({ min: 2, max: 254 }), fc.integer({ min: 0, max: 12 }))
    await fc.assert(
      fc.asyncProperty(
        range,
        fc.array(fc.boolean(), { minLength: 16, maxLength: 16 }),
        async ([start, more], leaving) => {
          await using world = await aCloud()
          const pool = { start: `10.0.0.${start}`, end: `10.0.0.${Math.min(254, start + more)}` }
          const { id: network } = await world.cloud.networks.create(ann, { name: 'n', shared: false, external: false })
          await world.cloud.subnets.create(ann, { network, name: '', cidr: '10.0.0.0/24', pools: [pool] })
          const size = Math.min(254, start + more) - start + 1
          const held = new Map<ContainerId, string>()
          for (const leaves of [leaving, leaving.map((one) => !one), leaving]) {
            const room = size - held.size
            const nets = [{ network, addresses: [] }]
            const outcomes = await Promise.allSettled(leaves.map(() => world.run(ann, { nets })))
            const made = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? outcome.value : []))
            expect(made.length).toBe(Math.min(room, leaves.length))
            for (const { id, nics } of made) held.set(id, nics[0]?.addresses[0]?.address ?? '')
            expect(new Set(held.values()).size).toBe(held.size)
            for (const address of held.values()) expect(isBetween(address, pool)).toBe(true)
            const going = [...held.keys()].filter((_, index) => leaves[index % leaves.length])
            await Promise.all(going.map((id) => world.forget(id)))
            for (const id of going) held.delete(id)
          }
        },
      ),
      { numRuns: 10 },
    )
  },
  patienceMs,
)

function isBetween(address: string, { start, end }: { start: string; end: string }): boolean {
  const value = parseAddress(address)?.value ?? 0n
  return value >= blockOf(`${start}/32`).first && value <= blockOf(`${end}/32`).first
}
