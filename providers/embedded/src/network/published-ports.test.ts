import type { Caller, ContainerId, Nic, Publish } from '@gantry/model'
import { expect, test } from 'vitest'
import { aCloud, admin, ann, bob, type Cloud } from './testing/a-cloud.ts'

interface Running {
  readonly id: ContainerId
  readonly nics: Nic[]
}

const tcp = (containerPort: number, publicPort: number | null, address: string | null = null): Publish => ({
  protocol: 'tcp',
  containerPort,
  publicPort,
  address,
})

function publish(world: Cloud, caller: Caller, { id, nics }: Running, ports: Publish[], yields = false) {
  return world.store.transaction((tables) =>
    world.cloud.publish(tables, caller, { containerId: id, name: 'web', nics, ports, yields: async () => yields }),
  )
}

async function ofOne({ cloud }: Cloud, caller: Caller, { id, nics }: Running): Promise<string[]> {
  const found = await cloud.publishedOf(caller, [{ id, projectId: ann.projectId, nics }])
  return (found.get(id) ?? []).map(
    (port) => `${port.address}:${port.publicPort}->${port.containerPort}/${port.protocol}`,
  )
}

test('all published ports of a project share one address, which stays', async () => {
  await using world = await aCloud()
  const [web, db] = [await world.run(ann), await world.run(ann)]
  await publish(world, ann, web, [tcp(80, 8080), { ...tcp(53, 53), protocol: 'udp' }])
  await publish(world, ann, db, [tcp(5432, null), tcp(5433, null)])
  expect(await ofOne(world, ann, web)).toEqual(['172.24.4.3:53->53/udp', '172.24.4.3:8080->80/tcp'])
  expect(await ofOne(world, ann, db)).toEqual(['172.24.4.3:32768->5432/tcp', '172.24.4.3:32769->5433/tcp'])
  expect(await ofOne(world, bob, db)).toEqual([])
  expect(await ofOne(world, admin, db)).toHaveLength(2)
  await world.forget(web.id)
  await world.forget(db.id)
  expect(await world.cloud.floatingIps.list(ann)).toMatchObject([{ published: true, forwardings: [], routerId: null }])
  const again = await world.run(ann)
  await publish(world, ann, again, [tcp(80, 8080)])
  expect(await ofOne(world, ann, again)).toEqual(['172.24.4.3:8080->80/tcp'])
})

test('a second start changes nothing', async () => {
  await using world = await aCloud()
  const web = await world.run(ann)
  const ports = [tcp(80, null), tcp(80, null), tcp(80, 8080)]
  await publish(world, ann, web, ports)
  const before = await ofOne(world, ann, web)
  expect(before).toHaveLength(3)
  await publish(world, ann, web, ports)
  expect(await ofOne(world, ann, web)).toEqual(before)
})

test('a taken port is refused while its container lives, and given over when it does not', async () => {
  await using world = await aCloud()
  const [web, next] = [await world.run(ann), await world.run(ann)]
  await publish(world, ann, web, [tcp(80, 8080)])
  await expect(publish(world, ann, next, [tcp(81, 9090), tcp(80, 8080)])).rejects.toMatchObject({
    code: 'port.allocated',
    details: { ref: 'web', port: 8080, address: '0.0.0.0' },
  })
  expect(await ofOne(world, ann, next)).toEqual([])
  await publish(world, ann, next, [tcp(80, 8080)], true)
  expect(await ofOne(world, ann, web)).toEqual([])
  expect(await ofOne(world, ann, next)).toEqual(['172.24.4.3:8080->80/tcp'])
})

test('a floating IP that was asked for is taken, others of the project never', async () => {
  await using world = await aCloud()
  const web = await world.run(ann)
  const kept = await world.cloud.floatingIps.create(ann, {})
  const asked = await world.cloud.floatingIps.create(ann, {})
  await publish(world, ann, web, [tcp(80, 80, asked.address), tcp(81, 81)])
  const all = await ofOne(world, ann, web)
  expect(all).toContain(`${asked.address}:80->80/tcp`)
  expect(all.some((port) => port.startsWith(`${kept.address}:`))).toBe(false)
  await expect(publish(world, bob, await world.run(bob), [tcp(80, 80, asked.address)])).rejects.toMatchObject({
    code: 'network.not-found',
  })
})

test('a container without a way to the outside publishes nothing', async () => {
  await using world = await aCloud()
  const inner = { name: 'inner', labels: {}, subnets: [], internal: true, ipv6: false }
  const { id: network } = await world.cloud.networks.createWhole(ann, inner)
  const web = await world.run(ann, { nets: [{ network, addresses: [] }] })
  await publish(world, ann, web, [tcp(80, 80)])
  await publish(world, ann, await world.run(ann, { unplugged: true }), [tcp(80, 80)])
  expect(await world.cloud.floatingIps.list(ann)).toEqual([])
})

test('further ports are opened in the group of the exposed ones, or in a new one', async () => {
  await using world = await aCloud()
  const web = await world.run(ann, { exposedPorts: ['80/tcp'] })
  const plain = await world.run(ann)
  const expose = ({ id, nics }: Running) =>
    world.store.transaction((tables) => world.cloud.expose(tables, ann, id, nics, ['80/tcp', '90/udp']))
  for (const each of [web, plain]) {
    const [nic] = await expose(each)
    const [again] = await expose({ ...each, nics: nic ? [nic] : [] })
    expect(again).toEqual(nic)
    expect(nic?.groups).toHaveLength(2)
    expect((await world.store.ports.getMany(nic ? [nic.portId] : []))[0]?.groups).toEqual(nic?.groups)
    const groups = await world.store.groups.getMany(nic?.groups ?? [])
    const own = groups.find(({ name }) => name === `zun-${each.id}`)
    expect(own?.rules.filter(({ version }) => version === 4).map(({ portMin }) => portMin)).toEqual([80, 90])
  }
})

test('who gets an address after another has its MAC address too, so that neighbours need not forget', async () => {
  await using world = await aCloud()
  const [first, second] = [await world.run(ann), await world.run(ann)]
  const mac = first.nics[0]?.mac
  expect(mac).toMatch(/^fa:16:3e:/)
  expect(second.nics[0]?.mac).not.toBe(mac)
  await world.forget(first.id)
  expect((await world.run(ann)).nics[0]).toMatchObject({ mac, addresses: first.nics[0]?.addresses })
})
