import { Fault } from '@gantry/kernel'
import type { ContainerId, HostId, NetworkId, PortId, SecurityGroupId, SubnetId } from '@gantry/model'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { onSqlite, openStore } from '../testing/open-store.ts'
import { aPort, ours, theirs, wire } from '../testing/samples.ts'

const subnet = 's1' as SubnetId
const at = (address: string) => ({ subnetId: subnet, address })
const group = (name: string) => name as SecurityGroupId

test('a port comes back as it was put in, addresses and groups in their order', async () => {
  await using opened = await openStore()
  const { ports } = opened.store
  const port = aPort(9, { fixedIps: [at('10.0.0.9'), at('10.0.0.3')], groups: [group('g2'), group('g1')] })
  await ports.insert(port)
  expect(await ports.get(port.id)).toEqual(port)
  await ports.update(port.id, { name: 'eth', groups: [group('g3')], deviceId: 'c1', deviceOwner: 'compute:kuryr' })
  expect(await ports.get(port.id)).toEqual({
    ...port,
    name: 'eth',
    groups: ['g3'],
    deviceId: 'c1',
    deviceOwner: 'compute:kuryr',
  })
})

test('an address is held once, by its subnet, and is free again when its port lets go of it', async () => {
  await using opened = await openStore()
  const { ports } = opened.store
  await ports.insert(aPort(1))
  await expect(ports.insert(aPort(2, { fixedIps: [at('10.0.0.1')] }))).rejects.toMatchObject({
    code: 'address.in-use',
    details: { address: '10.0.0.1' },
  })
  await ports.insert(aPort(3, { fixedIps: [{ subnetId: 's2' as SubnetId, address: '10.0.0.1' }] }))
  await ports.update(aPort(1).id, { fixedIps: [at('10.0.0.8')] })
  expect(await ports.addressTaken(subnet, '10.0.0.1')).toBe(false)
  await ports.remove(aPort(1).id)
  expect(await ports.addressesOf(subnet)).toEqual([])
})

test('a refused claim leaves nothing behind, even where the transaction goes on', async () => {
  await using opened = await openStore()
  const { store } = opened
  await store.ports.insert(aPort(1))
  await store.transaction(async ({ ports }) => {
    const clash = aPort(2, { fixedIps: [at('10.0.0.2'), at('10.0.0.1')] })
    await expect(ports.insert(clash)).rejects.toBeInstanceOf(Fault)
    await expect(ports.insert(aPort(2, { fixedIps: [at('10.0.0.2'), at('10.0.0.2')] }))).rejects.toBeInstanceOf(Fault)
    await ports.insert({ ...clash, fixedIps: [at('10.0.0.2')] })
    await expect(ports.update(clash.id, { name: 'x', fixedIps: [at('10.0.0.1')] })).rejects.toBeInstanceOf(Fault)
  })
  expect(await store.ports.get(aPort(2).id)).toEqual(aPort(2))
})

test('the same MAC address twice on a network is refused with a reason', async () => {
  await using opened = await openStore()
  const { ports } = opened.store
  await ports.insert(aPort(1))
  await expect(ports.insert(aPort(2, { mac: aPort(1).mac }))).rejects.toMatchObject({ code: 'network.conflict' })
  await ports.insert(aPort(3, { mac: aPort(1).mac, networkId: 'n2' as NetworkId }))
  expect(await ports.macTaken(aPort(1).mac)).toBe(true)
  expect(await ports.macTaken(aPort(2).mac)).toBe(false)
})

test('ports are found by project, network, device and group, oldest first', async () => {
  await using opened = await openStore()
  const { ports } = opened.store
  await ports.insert(aPort(2, { groups: [group('g1')], deviceId: 'c1' }))
  await ports.insert(aPort(1, { projectId: theirs, groups: [group('g1'), group('g2')] }))
  await ports.insert(aPort(3, { networkId: 'n2' as NetworkId, deviceId: 'c1' }))
  const ids = (found: readonly { id: PortId }[]) => found.map(({ id }) => id)
  expect(ids(await ports.list(null))).toEqual(['port-2', 'port-1', 'port-3'])
  expect(ids(await ports.list(ours))).toEqual(['port-2', 'port-3'])
  expect(ids(await ports.ofNetwork(wire))).toEqual(['port-2', 'port-1'])
  expect(ids(await ports.ofDevice('c1'))).toEqual(['port-2', 'port-3'])
  expect(ids(await ports.ofGroup(group('g1')))).toEqual(['port-2', 'port-1'])
  expect(ids(await ports.getMany([aPort(3).id, aPort(2).id]))).toEqual(['port-2', 'port-3'])
  expect(await ports.getMany([])).toEqual([])
  expect(await ports.countOf(ours)).toBe(2)
})

test('placing a container tells which networks and groups its host needs, and which hosts a change concerns', async () => {
  await using opened = await openStore()
  const { ports } = opened.store
  await ports.insert(aPort(1, { deviceId: 'c1', groups: [group('g1')] }))
  await ports.insert(aPort(2, { deviceId: 'c1', networkId: 'n2' as NetworkId }))
  await ports.insert(aPort(3, { deviceId: 'c2', groups: [group('g1')] }))
  await ports.insert(aPort(4, { groups: [group('g4')] }))
  await ports.place('c1' as ContainerId, 'h1' as HostId)
  await ports.place('c2' as ContainerId, 'h2' as HostId)
  expect((await ports.networksOnHost('h1' as HostId)).toSorted()).toEqual(['n1', 'n2'])
  expect(await ports.groupsOnHost('h1' as HostId)).toEqual(['g1'])
  expect((await ports.hostsOfNetworks([wire])).toSorted()).toEqual(['h1', 'h2'])
  expect(await ports.hostsOfNetworks(['n2' as NetworkId])).toEqual(['h1'])
  expect((await ports.hostsOfGroups([group('g1'), group('g4')])).toSorted()).toEqual(['h1', 'h2'])
  expect(await ports.hostsOfGroups([])).toEqual([])
})

onSqlite(
  'addresses of a subnet, networks of a host and hosts of a network are answered from an index alone',
  async () => {
    await using opened = await openStore()
    const { ports } = opened.store
    for (const ask of [
      () => ports.addressesOf(subnet),
      () => ports.networksOnHost('h1' as HostId),
      () => ports.hostsOfNetworks([wire]),
    ]) {
      const onTables = (await opened.planOf(ask)).filter((line) => !/json_each|LIST SUBQUERY/.test(line))
      expect(onTables).toEqual([expect.stringMatching(/^SEARCH .* COVERING INDEX/)])
    }
  },
)

test('more ports than a statement has room for are read whole', async () => {
  await using opened = await openStore()
  const { db, store } = opened
  await store.transaction(async ({ ports }) => {
    for (let index = 0; index < 2500; index += 1) {
      await ports.insert(aPort(index, { groups: [group(`g${index % 3}`)] }))
    }
  })
  const all = await store.ports.list(null)
  expect(all).toHaveLength(2500)
  expect(all.every(({ fixedIps, groups }) => fixedIps.length === 1 && groups.length === 1)).toBe(true)
  expect(await store.ports.getMany(all.map(({ id }) => id))).toEqual(all)
  await db.deleteFrom('ports').execute()
  expect(await db.selectFrom('port_addresses').selectAll().execute()).toEqual([])
  expect(await db.selectFrom('port_groups').selectAll().execute()).toEqual([])
}, 120_000)

type Claim =
  | { kind: 'insert'; port: number; addresses: number[] }
  | { kind: 'move'; port: number; addresses: number[] }
  | { kind: 'remove'; port: number }

const number = fc.integer({ min: 1, max: 6 })
const addresses = fc.array(number, { maxLength: 3 })
const claims: fc.Arbitrary<Claim[]> = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('insert' as const), port: number, addresses }),
    fc.record({ kind: fc.constant('move' as const), port: number, addresses }),
    fc.record({ kind: fc.constant('remove' as const), port: number }),
  ),
  { maxLength: 25 },
)

test('whatever ports claim, in transactions or out of them, every address has the one holder that was told so', async () => {
  await using opened = await openStore()
  const { db, store } = opened
  await fc.assert(
    fc.asyncProperty(claims, fc.boolean(), async (steps, together) => {
      await db.deleteFrom('ports').execute()
      const held = new Map<number, string[]>()
      const run = async ({ ports }: Pick<typeof store, 'ports'>) => {
        for (const step of steps) {
          const id = aPort(step.port).id
          if (step.kind === 'remove') {
            await ports.remove(id)
            held.delete(step.port)
            continue
          }
          if ((step.kind === 'insert') === held.has(step.port)) continue
          const wanted = step.addresses.map((last) => `10.0.0.${last}`)
          const others = [...held].flatMap(([port, taken]) => (port === step.port ? [] : taken))
          const free = new Set(wanted).size === wanted.length && wanted.every((address) => !others.includes(address))
          const fixedIps = wanted.map(at)
          const done =
            step.kind === 'insert' ? ports.insert(aPort(step.port, { fixedIps })) : ports.update(id, { fixedIps })
          const told = await done.then(
            () => 'held',
            (error: unknown) => (error as Fault).code,
          )
          expect(told).toBe(free ? 'held' : 'address.in-use')
          if (free) held.set(step.port, wanted)
        }
      }
      await (together ? store.transaction(run) : run(store))
      const kept = await store.ports.list(null)
      expect(new Map(kept.map(({ id, fixedIps }) => [id, fixedIps.map(({ address }) => address)]))).toEqual(
        new Map([...held].map(([port, taken]) => [aPort(port).id, taken])),
      )
      expect((await store.ports.addressesOf(subnet)).toSorted()).toEqual([...held.values()].flat().toSorted())
    }),
    { numRuns: 60 },
  )
})
