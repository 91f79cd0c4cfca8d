import { type Container, defaultSpec } from '@gantry/model'
import { expect, test } from 'vitest'
import { aCaller, aWorld, type World } from './testing/a-world.ts'

const caller = aCaller('p1')

async function running(world: World, more: object = {}): Promise<Container> {
  const spec = { ...defaultSpec('busybox'), cpu: 0.1, memory: 16 }
  const { id } = await world.control.containers.create(caller, { name: null, spec, run: true, ...more })
  await world.host.idle()
  return world.control.containers.get(caller, id)
}

test('a container is plugged into one more network and out again, and its host hears of the network first', async () => {
  await using world = await aWorld()
  const { containers, network } = world.control
  const { id, nics } = await running(world)
  expect(nics).toHaveLength(1)
  await network.networks.create(caller, { name: 'back', shared: false, external: false })
  await network.subnets.create(caller, { network: 'back', name: '', cidr: '10.9.0.0/24' })
  await containers.attachNetwork(caller, id, { network: 'back', addresses: ['10.9.0.40'] })
  await world.host.idle()
  const after = await containers.get(caller, id)
  expect(after.nics.map((nic) => nic.addresses[0]?.address)).toEqual([expect.any(String), '10.9.0.40'])
  expect(after.observed.engine?.nics).toHaveLength(2)
  expect(after.task).toBeNull()
  await expect(containers.attachNetwork(caller, id, { network: 'back', addresses: [] })).rejects.toMatchObject({
    code: 'network.attached',
  })
  await containers.detachNetwork(caller, id, { network: 'back' })
  await world.host.idle()
  expect((await containers.get(caller, id)).observed.engine?.nics).toHaveLength(1)
  await expect(containers.detachNetwork(caller, id, { network: 'back' })).rejects.toMatchObject({
    code: 'network.not-attached',
  })
  expect(world.host.problems).toEqual([])
})

test('groups come to the container by its own verbs and by its port, and leave it the same way', async () => {
  await using world = await aWorld()
  const { containers, network } = world.control
  const { id, name, nics } = await running(world)
  const { id: web } = await network.groups.create(caller, { name: 'web', description: '' })
  await containers.addSecurityGroup(caller, id, 'web')
  await expect(containers.addSecurityGroup(caller, id, 'web')).rejects.toMatchObject({
    code: 'group.present',
    details: { ref: name },
  })
  await world.host.idle()
  expect((await containers.get(caller, id)).nics[0]?.groups).toContain(web)
  expect(world.host.fabric.has(web)).toBe(true)
  await containers.removeSecurityGroup(caller, id, 'web')
  expect((await containers.get(caller, id)).nics[0]?.groups).not.toContain(web)
  await network.ports.update(caller, nics[0]?.portId ?? '', { groups: ['web'] })
  expect((await containers.get(caller, id)).nics[0]?.groups).toEqual([web])
  await world.host.idle()
  expect(world.host.problems).toEqual([])
})

test('a volume made for a container goes with it, one of the user’s own stays', async () => {
  await using world = await aWorld()
  const { containers, storage } = world.control
  await storage.volumes.create(caller, { name: 'data', size: 1 })
  await world.host.idle()
  const { id } = await running(world, {
    mounts: [
      { kind: 'volume', source: 'data', destination: '/data', readOnly: false },
      { kind: 'new', size: 2, destination: '/scratch', readOnly: false },
    ],
  })
  expect((await storage.volumes.list(caller)).map(({ status }) => status)).toEqual(['in-use', 'in-use'])
  await containers.delete(caller, id, { stop: true, force: false })
  await world.host.idle()
  await until(async () => (await storage.volumes.list(caller)).length === 1)
  expect(await storage.volumes.list(caller)).toMatchObject([{ name: 'data', status: 'available' }])
  expect([...world.host.volumes.values()]).toMatchObject([{ size: 1 }])
})

test('a host takes down the networks that nobody on it uses any more', async () => {
  await using world = await aWorld({ policy: { tidyAfterMs: 20 } })
  const { id } = await running(world)
  expect(world.host.fabric.size).toBeGreaterThan(0)
  await world.control.containers.delete(caller, id, { stop: true, force: false })
  await world.host.idle()
  await until(async () => world.host.fabric.size === 0)
})

async function until(ready: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 5000
  while (!(await ready())) {
    if (Date.now() > end) throw new Error('waited in vain')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
