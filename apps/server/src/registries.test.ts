import { type Caller, defaultSpec } from '@gantry/model'
import { expect, test } from 'vitest'
import { aCaller, aWorld } from './testing/a-world.ts'

const owner = aCaller('p1')
const other = aCaller('p2')
const admin = aCaller('admins', ['admin'])
const hub = { name: 'hub', domain: 'registry.example.com:5000', username: 'ada', password: 'swordfish' }

test('a registry is its project’s: others do not find it, administrators only by id', async () => {
  await using world = await aWorld()
  const { registries } = world.control
  const { id } = await registries.create(owner, hub)
  for (const attempt of [
    () => registries.get(other, id),
    () => registries.get(other, 'hub'),
    () => registries.update(other, id, { name: 'mine' }),
    () => registries.delete(other, id),
    () => registries.get(admin, 'hub'),
  ]) {
    await expect(attempt()).rejects.toMatchObject({ code: 'registry.not-found' })
  }
  await expect(registries.list(other, { allProjects: true })).rejects.toMatchObject({ code: 'policy.forbidden' })
  expect(await registries.list(other)).toEqual([])
  expect((await registries.get(admin, id)).name).toBe('hub')
  expect(await registries.list(admin, { allProjects: true })).toHaveLength(1)
  await registries.delete(owner, 'hub')
  await expect(registries.get(owner, id)).rejects.toMatchObject({ code: 'registry.not-found' })
})

test('the password is never kept as it is, and a change of anything else keeps it', async () => {
  await using world = await aWorld()
  const { registries } = world.control
  const made = await registries.create(owner, hub)
  expect(made.sealedPassword).not.toContain('swordfish')
  const renamed = await registries.update(owner, 'hub', { name: null })
  expect(renamed).toMatchObject({ name: hub.domain, sealedPassword: made.sealedPassword, domain: hub.domain })
  const changed = await registries.update(owner, made.id, { password: 'other' })
  expect(changed.sealedPassword).not.toBe(made.sealedPassword)
  expect(await registries.get(owner, made.id)).toEqual(changed)
  expect(await registries.update(owner, made.id, { username: null })).toMatchObject({ sealedPassword: null })
})

test('a password is not sent to another registry than it was given for', async () => {
  await using world = await aWorld()
  const { registries } = world.control
  const { id } = await registries.create(owner, hub)
  await expect(registries.update(owner, id, { domain: 'evil.example.com' })).rejects.toMatchObject({
    code: 'request.invalid',
  })
  const moved = await registries.update(owner, id, { domain: 'new.example.com', password: 'again' })
  expect(moved.domain).toBe('new.example.com')
})

test.each([
  ['a scheme', { domain: 'https://registry.example.com' }],
  ['a path', { domain: 'registry.example.com/library' }],
  ['a word that engines take for a user of their default registry', { domain: 'registry' }],
  ['port 0', { domain: 'registry.example.com:0' }],
  ['port 65536', { domain: 'registry.example.com:65536' }],
  ['half an address', { domain: '10.0.0:5000' }],
  ['no domain', { domain: '' }],
  ['a line break', { domain: 'registry.example.com\n' }],
  ['an endless domain', { domain: `${'a.'.repeat(200)}com` }],
  ['a password for nobody', { username: null }],
  ['a user with a colon', { username: 'a:b' }],
  ['an empty password', { password: '' }],
  ['an endless password', { password: 'x'.repeat(20_000) }],
  ['an empty name', { name: '' }],
  ['a NUL', { name: 'a\0b' }],
])('%s is refused', async (_what, wrong) => {
  await using world = await aWorld()
  await expect(world.control.registries.create(owner, { ...hub, ...wrong })).rejects.toMatchObject({
    code: 'request.invalid',
  })
})

test.each(['localhost', 'registry:5000', '127.0.0.1', '127.0.0.1:5000', '[::1]:5000', 'docker.io', 'A-b.example'])(
  '%s is a registry',
  async (domain) => {
    await using world = await aWorld()
    const made = await world.control.registries.create(owner, { name: null, domain, username: null, password: null })
    expect(made).toMatchObject({ name: domain, domain })
  },
)

test('a project has room for 50', async () => {
  await using world = await aWorld()
  const { registries } = world.control
  for (let count = 0; count < 50; count += 1) await registries.create(owner, hub)
  await expect(registries.create(owner, hub)).rejects.toMatchObject({ code: 'quota.exceeded' })
  await expect(registries.get(owner, 'hub')).rejects.toMatchObject({ code: 'registry.ambiguous' })
  await registries.create(other, hub)
})

test('a container is told its registry’s domain and password, and keeps them when the registry changes', async () => {
  await using world = await aWorld()
  const { containers, registries } = world.control
  const { id } = await registries.create(owner, hub)
  const create = (caller: Caller, image: string) =>
    containers.create(caller, { name: null, spec: defaultSpec(image), run: true, registry: 'hub' })
  const container = await create(owner, 'busybox')
  expect(container.registryId).toBe(id)
  expect(container.imageRef).toMatch(/^gantry-[0-9a-f]{32}\/registry\.example\.com_5000\/busybox:latest$/)
  expect(container.sealedRegistryAuth).not.toContain('swordfish')
  await registries.update(owner, id, { password: 'changed' })
  await world.host.idle()
  const kept = await world.store.containers.get(container.id)
  expect(kept?.sealedRegistryAuth).toBe(container.sealedRegistryAuth)
  expect(JSON.stringify(await world.store.actions.list(container.id))).not.toContain('swordfish')
  await expect(create(other, 'busybox')).rejects.toMatchObject({ code: 'registry.not-found' })
  await expect(create(admin, 'busybox')).rejects.toMatchObject({ code: 'registry.not-found' })
})
