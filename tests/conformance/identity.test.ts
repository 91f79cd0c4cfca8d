import type { Asker, LogIn, WantedScope } from '@gantry/control'
import { type Clock, randomIds, systemClock } from '@gantry/kernel'
import type { RequestId } from '@gantry/model'
import { bootstrapIdentity, embeddedIdentity } from '@gantry/providers-embedded'
import { identityTables, openSqlite } from '@gantry/store'
import { describe, expect, test } from 'vitest'

const requestId = 'req-00000000-0000-0000-0000-000000000000' as RequestId
const inDefault = { domain: { id: 'default' } }
const hourMs = 3_600_000

async function open(clock: Clock = systemClock) {
  const db = await openSqlite(':memory:')
  const store = identityTables(db)
  const made = await bootstrapIdentity(store, { ids: randomIds, clock })
  const service = embeddedIdentity({ store, ids: randomIds, clock })
  const passwords = new Map(made.map(({ userName, password }) => [userName, password]))
  const password = (name: string): LogIn => ({
    method: 'password',
    user: { name, ...inDefault },
    password: passwords.get(name) ?? '',
  })
  const logIn = async (proof: LogIn | string, scope: WantedScope = { kind: 'default' }) =>
    service.tokens.issue(typeof proof === 'string' ? password(proof) : proof, scope, '192.0.2.1')
  const asker = async (proof: LogIn | string, scope?: WantedScope): Promise<Asker> =>
    service.authenticate((await logIn(proof, scope)).token, requestId)
  const idOf = async (table: 'users' | 'projects' | 'roles', name: string) =>
    (await store[table].list({ name }))[0]?.id ?? ''
  const verify = (token: string) => service.verify(token, requestId)
  return { store, service, made, logIn, asker, idOf, verify, [Symbol.asyncDispose]: () => db.destroy() }
}

const refused = (code: string) => expect.objectContaining({ code })
const later = () => new Promise((resolve) => setTimeout(resolve, 3))

describe('bootstrap', () => {
  test('makes users once and brings nothing back that was deleted', async () => {
    await using cloud = await open()
    expect(cloud.made.map(({ userName }) => userName).toSorted()).toEqual(['admin', 'demo'])
    await cloud.store.users.remove(await cloud.idOf('users', 'demo'))
    expect(await bootstrapIdentity(cloud.store, { ids: randomIds, clock: systemClock })).toEqual([])
    expect((await cloud.store.users.list()).map(({ name }) => name)).toEqual(['admin'])
    expect(await cloud.store.endpoints.list()).toHaveLength(12)
  })

  test('goes on where a start died before the passwords', async () => {
    await using cloud = await open()
    const admin = await cloud.idOf('users', 'admin')
    const user = await cloud.store.users.get(admin)
    await cloud.store.users.remove(admin)
    if (user) await cloud.store.users.insert(user)
    const made = await bootstrapIdentity(cloud.store, { ids: randomIds, clock: systemClock })
    const again = made.find(({ userName }) => userName === 'admin')
    const proof: LogIn = { method: 'password', user: { id: admin }, password: again?.password ?? '' }
    expect((await cloud.asker(proof)).isAdmin).toBe(true)
  })

  test('a password that could not be kept for its owner is never in force', async () => {
    await using cloud = await open()
    const admin = await cloud.idOf('users', 'admin')
    const user = await cloud.store.users.get(admin)
    await cloud.store.users.remove(admin)
    if (user) await cloud.store.users.insert(user)
    const parts = { ids: randomIds, clock: systemClock }
    const full = () => Promise.reject(new Error('disk full'))
    await expect(bootstrapIdentity(cloud.store, { ...parts, keep: full })).rejects.toThrow('disk full')
    expect(await cloud.store.passwords.get(admin)).toBeUndefined()
    const kept: string[] = []
    const made = await bootstrapIdentity(cloud.store, {
      ...parts,
      keep: async ({ password }) => void kept.push(password),
    })
    expect(made.map(({ password }) => password)).toEqual(kept)
  })
})

describe('log-in', () => {
  test('the default project, a chosen scope, and none', async () => {
    await using cloud = await open()
    expect((await cloud.logIn('demo')).info.scope).toMatchObject({ kind: 'project', project: { name: 'demo' } })
    expect((await cloud.logIn('admin', { kind: 'system' })).info.roles).toMatchObject([{ name: 'admin' }])
    const unscoped = await cloud.logIn('demo', { kind: 'unscoped' })
    expect(unscoped.info.roles).toEqual([])
    await expect(cloud.verify(unscoped.token)).rejects.toThrow('no project')
    expect(await cloud.verify((await cloud.logIn('demo')).token)).toMatchObject({ isAdmin: false, roles: ['member'] })
    expect(await cloud.verify((await cloud.logIn('admin')).token)).toMatchObject({ isAdmin: true })
  })

  test('a foreign project and one that does not exist are refused alike', async () => {
    await using cloud = await open()
    for (const name of ['admin', 'nowhere']) {
      const scope: WantedScope = { kind: 'project', project: { name, ...inDefault } }
      await expect(cloud.logIn('demo', scope)).rejects.toThrow(`User demo has no access to project ${name}.`)
    }
    await expect(cloud.logIn('demo', { kind: 'system' })).rejects.toEqual(refused('auth.no-access'))
  })

  test('a wrong password, an unknown and a disabled user are refused alike, and slowed alike', async () => {
    const clock = { at: 1_800_000_000_000, now: () => clock.at }
    await using cloud = await open(clock)
    const demo = await cloud.idOf('users', 'demo')
    await cloud.store.users.update(demo, { enabled: false })
    await expect(cloud.logIn('demo')).rejects.toEqual(refused('auth.failed'))
    for (const name of ['admin', 'nobody']) {
      const wrong: LogIn = { method: 'password', user: { name, ...inDefault }, password: 'wrong' }
      const codes: string[] = []
      for (let mistake = 0; mistake < 7; mistake += 1) {
        codes.push(
          await cloud.logIn(wrong).then(
            () => 'in',
            ({ code }) => code,
          ),
        )
      }
      expect(codes).toEqual([...Array(5).fill('auth.failed'), 'auth.slowed', 'auth.slowed'])
    }
    await expect(cloud.logIn('admin')).rejects.toEqual(refused('auth.slowed'))
    clock.at += 2_000
    await cloud.logIn('admin')
  })

  test('guesses sent side by side do not slip past the brake', async () => {
    await using cloud = await open()
    const wrong: LogIn = { method: 'password', user: { name: 'admin', ...inDefault }, password: 'wrong' }
    const all = await Promise.allSettled(Array.from({ length: 40 }, () => cloud.logIn(wrong)))
    const failed = all.filter(
      ({ status, reason }: { status: string; reason?: { code: string } }) =>
        status === 'rejected' && reason?.code === 'auth.failed',
    )
    expect(failed.length).toBeLessThanOrEqual(7)
  })

  test('a token may be traded for another scope, but not for a longer life', async () => {
    const clock = { at: 1_800_000_000_000, now: () => clock.at }
    await using cloud = await open(clock)
    const first = await cloud.logIn('admin', { kind: 'unscoped' })
    clock.at += hourMs
    const scope: WantedScope = { kind: 'project', project: { name: 'admin', ...inDefault } }
    const second = await cloud.logIn({ method: 'token', token: first.token }, scope)
    expect(second.info.expiresAt).toBe(first.info.expiresAt)
    expect(second.info.auditIds[1]).toBe(first.info.auditIds[0])
    expect(second.info.methods).toEqual(['token', 'password'])
    expect(await cloud.verify(second.token)).toMatchObject({ isAdmin: true })
  })
})

describe('revocation', () => {
  test.each<[string, (cloud: Awaited<ReturnType<typeof open>>, admin: Asker) => Promise<unknown>]>([
    [
      'a new password',
      async ({ service, idOf }, admin) =>
        service.users.update(admin, await idOf('users', 'demo'), { password: 'other' }),
    ],
    [
      'a disabled user',
      async ({ service, idOf }, admin) => service.users.update(admin, await idOf('users', 'demo'), { enabled: false }),
    ],
    ['a deleted user', async ({ service, idOf }, admin) => service.users.remove(admin, await idOf('users', 'demo'))],
    [
      'a disabled project',
      async ({ service, idOf }, admin) =>
        service.projects.update(admin, await idOf('projects', 'demo'), { enabled: false }),
    ],
    [
      'a deleted project',
      async ({ service, idOf }, admin) => service.projects.remove(admin, await idOf('projects', 'demo')),
    ],
    ['a deleted role', async ({ service, idOf }, admin) => service.roles.remove(admin, await idOf('roles', 'member'))],
    [
      'a role taken away',
      async ({ service, idOf }, admin) =>
        service.grants.remove(admin, {
          actor: { kind: 'user', id: await idOf('users', 'demo') },
          target: { kind: 'project', id: await idOf('projects', 'demo') },
          roleId: await idOf('roles', 'member'),
        }),
    ],
  ])('%s ends the tokens issued before', async (_what, change) => {
    await using cloud = await open()
    const { token } = await cloud.logIn('demo')
    const admin = await cloud.logIn('admin')
    await Promise.all([cloud.verify(token), cloud.verify(admin.token)])
    await later()
    await change(cloud, await cloud.service.authenticate(admin.token, requestId))
    await expect(cloud.verify(token)).rejects.toThrow('revoked')
    await cloud.verify(admin.token)
  })

  test('one’s own token, and nobody else’s', async () => {
    await using cloud = await open()
    const [demo, admin] = [await cloud.logIn('demo'), await cloud.logIn('admin')]
    const asker = await cloud.service.authenticate(demo.token, requestId)
    await expect(cloud.service.tokens.revoke(asker, admin.token)).rejects.toEqual(refused('identity.not-found'))
    await cloud.service.tokens.revoke(asker, demo.token)
    await expect(cloud.verify(demo.token)).rejects.toThrow('revoked')
    await cloud.verify(admin.token)
  })

  test('leaving a group takes the group’s roles along', async () => {
    await using cloud = await open()
    const admin = await cloud.asker('admin')
    const { service, idOf } = cloud
    const group = await service.groups.create(admin, { name: 'crew' })
    const target = { kind: 'project', id: await idOf('projects', 'service') } as const
    const roleId = await idOf('roles', 'reader')
    await service.grants.add(admin, { actor: { kind: 'group', id: group.id }, target, roleId })
    await service.groups.addMember(admin, group.id, await idOf('users', 'demo'))
    const scope: WantedScope = { kind: 'project', project: { id: target.id } }
    const { token, info } = await cloud.logIn('demo', scope)
    expect(info.roles).toMatchObject([{ name: 'reader' }])
    await later()
    await service.groups.removeMember(admin, group.id, await idOf('users', 'demo'))
    await expect(cloud.verify(token)).rejects.toThrow('revoked')
    await expect(cloud.logIn('demo', scope)).rejects.toEqual(refused('auth.no-access'))
  })
})

describe('application credentials', () => {
  const make = async (
    cloud: Awaited<ReturnType<typeof open>>,
    unrestricted = false,
    expiresAt: number | null = null,
  ) => {
    const owner = await cloud.asker('demo')
    const { credential, secret } = await cloud.service.appCredentials.create(owner, owner.token.user.id, {
      name: 'ci',
      unrestricted,
      expiresAt,
    })
    const proof: LogIn = { method: 'application_credential', credential: { id: credential.id }, secret }
    return { owner, credential, proof }
  }

  test('log in, by id or by name, to their project only', async () => {
    await using cloud = await open()
    const { proof, credential } = await make(cloud)
    const { info, token } = await cloud.logIn(proof)
    expect(info).toMatchObject({
      scope: { project: { name: 'demo' } },
      appCredential: { name: 'ci', restricted: true },
    })
    const byName = { name: 'ci', user: { name: 'demo', ...inDefault } }
    await cloud.logIn({ ...proof, credential: byName })
    await expect(cloud.logIn({ ...proof, secret: 'wrong' })).rejects.toEqual(refused('auth.failed'))
    await expect(cloud.logIn(proof, { kind: 'system' })).rejects.toEqual(refused('auth.required'))
    await expect(cloud.logIn({ method: 'token', token })).rejects.toEqual(refused('identity.refused'))
    expect(
      JSON.stringify(await cloud.service.appCredentials.get(await cloud.asker('admin'), info.user.id, credential.id)),
    ).not.toContain('argon2')
  })

  test('end when they are deleted, expire, or the user loses the roles', async () => {
    const clock = { at: 1_800_000_000_000, now: () => (clock.at += 1) }
    await using cloud = await open(clock)
    const { proof, owner, credential } = await make(cloud, false, clock.at + hourMs)
    const { token, info } = await cloud.logIn(proof)
    expect(info.expiresAt).toBe(credential.expiresAt)
    clock.at += hourMs
    await expect(cloud.logIn(proof)).rejects.toEqual(refused('auth.failed'))
    await cloud.service.appCredentials.remove(owner, owner.token.user.id, credential.id)
    await expect(cloud.verify(token)).rejects.toEqual(refused('auth.required'))
    const second = await make(cloud)
    await cloud.store.grants.remove({
      actor: { kind: 'user', id: owner.token.user.id },
      target: { kind: 'project', id: await cloud.idOf('projects', 'demo') },
      roleId: await cloud.idOf('roles', 'member'),
    })
    await expect(cloud.logIn(second.proof)).rejects.toEqual(refused('auth.failed'))
  })

  test('cannot make more of themselves unless they are unrestricted, nor get roles the token lacks', async () => {
    await using cloud = await open()
    const { proof, owner } = await make(cloud)
    const restricted = await cloud.asker(proof)
    const userId = owner.token.user.id
    const { appCredentials } = cloud.service
    await expect(appCredentials.create(restricted, userId, { name: 'x' })).rejects.toEqual(refused('policy.forbidden'))
    await expect(appCredentials.create(owner, userId, { name: 'ci' })).rejects.toEqual(refused('identity.conflict'))
    const wish = { name: 'y', roles: [{ name: 'admin' }] }
    await expect(appCredentials.create(owner, userId, wish)).rejects.toEqual(refused('request.invalid'))
    await expect(appCredentials.create(await cloud.asker('admin'), userId, { name: 'z' })).rejects.toEqual(
      refused('policy.forbidden'),
    )
  })
})

describe('policy', () => {
  test('a member reads her own things and administers nothing', async () => {
    await using cloud = await open()
    const { service, idOf } = cloud
    const demo = await cloud.asker('demo')
    const [user, project] = [await idOf('users', 'demo'), await idOf('projects', 'demo')]
    await service.users.get(demo, user)
    await service.projects.get(demo, project)
    await service.domains.get(demo, 'default')
    await service.roles.list(demo, {})
    await service.grants.list(demo, { actor: { kind: 'user', id: user }, effective: false })
    const admin = await idOf('users', 'admin')
    const attempts = [
      () => service.users.list(demo, {}),
      () => service.users.get(demo, admin),
      () => service.users.get(demo, 'nobody'),
      () => service.users.update(demo, user, { enabled: true }),
      () => service.users.create(demo, { name: 'x' }),
      () => service.users.projects(demo, admin),
      () => service.users.changePassword(demo, admin, 'a', 'b', 'here'),
      () => service.projects.create(demo, { name: 'x' }),
      () => service.projects.get(demo, 'nowhere'),
      () => service.projects.list(demo, {}),
      () => service.domains.list(demo, {}),
      () => service.groups.list(demo, {}),
      () => service.groups.members(demo, 'x'),
      () => service.roles.create(demo, { name: 'x' }),
      () => service.services.list(demo, {}),
      () => service.endpoints.list(demo, {}),
      () => service.regions.create(demo, {}),
      () => service.grants.list(demo, { effective: true }),
      () =>
        service.grants.add(demo, {
          actor: { kind: 'user', id: user },
          target: { kind: 'system', id: 'all' },
          roleId: 'x',
        }),
      () => service.appCredentials.list(demo, admin, {}),
    ]
    for (const attempt of attempts)
      await expect(attempt(), String(attempt)).rejects.toEqual(refused('policy.forbidden'))
  })

  test('what everything hangs on stays', async () => {
    await using cloud = await open()
    const admin = await cloud.asker('admin')
    const { service, idOf } = cloud
    const attempts = [
      async () => service.roles.remove(admin, await idOf('roles', 'admin')),
      async () => service.roles.update(admin, await idOf('roles', 'admin'), { name: 'x' }),
      async () => service.domains.update(admin, 'default', { enabled: false }),
      async () => service.domains.remove(admin, 'default'),
      async () => service.regions.remove(admin, 'RegionOne'),
    ]
    for (const attempt of attempts) await expect(attempt()).rejects.toEqual(refused('identity.refused'))
  })

  test('a domain goes with everything in it, once it is disabled', async () => {
    await using cloud = await open()
    const admin = await cloud.asker('admin')
    const { service, store } = cloud
    const { id: domainId } = await service.domains.create(admin, { name: 'dept' })
    const parent = await service.projects.create(admin, { name: 'top', parentId: domainId })
    expect(parent).toMatchObject({ domainId, parentId: null })
    const child = await service.projects.create(admin, { name: 'sub', parentId: parent.id })
    expect(child).toMatchObject({ domainId, parentId: parent.id })
    await service.users.create(admin, { name: 'bob', domainId, password: 'x' })
    await expect(service.projects.remove(admin, parent.id)).rejects.toEqual(refused('identity.refused'))
    await service.domains.update(admin, domainId, { enabled: false })
    await service.domains.remove(admin, domainId)
    expect(await store.users.list({ domainId })).toEqual([])
    expect(await store.projects.list({ domainId })).toEqual([])
  })
})
