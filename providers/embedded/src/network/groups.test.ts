import type { NewRule } from '@gantry/control'
import { expect, test } from 'vitest'
import { aCloud, admin, ann, aNetwork, bob } from './testing/a-cloud.ts'

const rule: NewRule = {
  direction: 'ingress',
  protocol: 'tcp',
  portMin: 80,
  portMax: 80,
  remotePrefix: null,
  remoteGroup: null,
}

test('each project has one group default, with Neutron’s rules, which stays', async () => {
  await using world = await aCloud()
  const { groups } = world.cloud
  const group = await groups.get(ann, 'default')
  expect(group.rules.map(({ direction, version, remoteGroupId }) => [direction, version, remoteGroupId])).toEqual([
    ['egress', 4, null],
    ['egress', 6, null],
    ['ingress', 4, group.id],
    ['ingress', 6, group.id],
  ])
  expect((await groups.list(ann)).map(({ id }) => id)).toEqual([group.id])
  expect((await groups.get(bob, 'default')).id).not.toBe(group.id)
  await expect(groups.delete(ann, 'default')).rejects.toThrow('cannot be deleted')
  await expect(groups.delete(admin, group.id)).rejects.toThrow('cannot be deleted')
  await expect(groups.create(ann, { name: 'default', description: '' })).rejects.toMatchObject({
    code: 'network.conflict',
  })
})

test('sixteen first needs at once make it once', async () => {
  await using world = await aCloud()
  const found = await Promise.all(Array.from({ length: 16 }, () => world.cloud.groups.get(ann, 'default')))
  expect(new Set(found.map(({ id }) => id)).size).toBe(1)
  expect(found[0]?.rules).toHaveLength(4)
})

test('a new group lets everything out and nothing in; its name may repeat', async () => {
  await using world = await aCloud()
  const { groups } = world.cloud
  const one = await groups.create(ann, { name: 'web', description: 'pages' })
  expect(one.rules.map(({ direction, version }) => [direction, version])).toEqual([
    ['egress', 4],
    ['egress', 6],
  ])
  await groups.create(ann, { name: 'web', description: '' })
  await expect(groups.get(ann, 'web')).rejects.toMatchObject({ code: 'network.ambiguous' })
  await groups.delete(ann, one.id)
  expect(await groups.get(ann, 'web')).toMatchObject({ description: '' })
})

test.each<[Partial<NewRule>, object]>([
  [{}, { version: 4, protocol: 'tcp', portMin: 80, portMax: 80 }],
  [{ portMax: null }, { portMin: 80, portMax: 80 }],
  [{ protocol: '6' }, { protocol: 'tcp' }],
  [{ protocol: 'any', portMin: null, portMax: null }, { protocol: null }],
  [{ protocol: '47', portMin: null, portMax: null }, { protocol: '47' }],
  [
    { protocol: 'ICMP', portMin: 8, portMax: 0 },
    { protocol: 'icmp', portMin: 8, portMax: 0 },
  ],
  [
    { protocol: 'icmp', portMin: 128, portMax: null, version: 6 },
    { protocol: 'icmpv6', version: 6, portMax: null },
  ],
  [{ remotePrefix: '10.0.0.9/8' }, { remotePrefix: '10.0.0.0/8', version: 4 }],
  [{ remotePrefix: 'fd00::1' }, { remotePrefix: 'fd00::1/128', version: 6 }],
  [
    { remoteGroup: 'default', version: 6 },
    { version: 6, remoteGroupId: expect.any(String) },
  ],
])('the rule %j is kept as %j', async (input, kept) => {
  await using world = await aCloud()
  await world.cloud.groups.create(ann, { name: 'web', description: '' })
  expect(await world.cloud.groups.addRule(ann, 'web', { ...rule, ...input })).toMatchObject(kept)
})

test.each<[Partial<NewRule>, string]>([
  [{ protocol: 'telnet' }, 'not a protocol'],
  [{ protocol: '256', portMin: null, portMax: null }, 'not a protocol'],
  [{ portMin: 0 }, '1 to 65535'],
  [{ portMax: 65_536 }, '1 to 65535'],
  [{ portMin: 81 }, 'ends below it'],
  [{ portMin: 80.5 }, '1 to 65535'],
  [{ protocol: null }, 'name one of them'],
  [{ protocol: '47' }, 'name one of them'],
  [{ protocol: 'icmp', portMin: 256, portMax: null }, '0 to 255'],
  [{ protocol: 'icmp', portMin: null, portMax: 3 }, 'needs the ICMP type'],
  [{ protocol: 'icmpv6', portMin: null, portMax: null, version: 4 }, 'goes with IPv6'],
  [{ remotePrefix: 'fd00::/8', version: 4 }, 'not one of IPv4'],
  [{ remotePrefix: 'everywhere' }, 'not a prefix'],
  [{ remotePrefix: '10.0.0.0/8', remoteGroup: 'default' }, 'not both'],
  [{ remoteGroup: 'nowhere' }, 'could not be found'],
])('the rule %j is refused: %s', async (input, sentence) => {
  await using world = await aCloud()
  await world.cloud.groups.create(ann, { name: 'web', description: '' })
  await expect(world.cloud.groups.addRule(ann, 'web', { ...rule, ...input })).rejects.toThrow(sentence)
})

test('the same rule in another spelling is there already', async () => {
  await using world = await aCloud()
  const { groups } = world.cloud
  await groups.create(ann, { name: 'web', description: '' })
  const { id } = await groups.addRule(ann, 'web', { ...rule, remotePrefix: '10.0.0.0/8' })
  await expect(groups.addRule(ann, 'web', { ...rule, protocol: '6', remotePrefix: '10.1.2.3/8' })).rejects.toThrow(id)
  await expect(groups.removeRule(bob, id)).rejects.toMatchObject({ details: { type: 'security group rule' } })
  await groups.removeRule(ann, id)
  await expect(groups.removeRule(ann, id)).rejects.toMatchObject({ code: 'network.not-found' })
  await groups.addRule(ann, 'web', { ...rule, remotePrefix: '10.1.2.3/8' })
})

test('a group goes with the rules that name it, but not while a port is in it', async () => {
  await using world = await aCloud()
  const { groups, ports } = world.cloud
  const network = await aNetwork(world, ann, 'net', '10.0.0.0/24')
  const web = await groups.create(ann, { name: 'web', description: '' })
  const db = await groups.create(ann, { name: 'db', description: '' })
  await groups.addRule(ann, 'db', { ...rule, remoteGroup: 'web' })
  await ports.create(ann, { network, name: 'p', groups: ['web'] })
  await expect(groups.delete(ann, 'web')).rejects.toMatchObject({ code: 'network.in-use' })
  await ports.delete(ann, 'p')
  world.changes.length = 0
  await groups.delete(ann, 'web')
  expect(world.changes).toEqual([{ networks: [], groups: [db.id, web.id], routers: [] }])
  expect((await groups.get(ann, 'db')).rules.map(({ direction }) => direction)).toEqual(['egress', 'egress'])
})
