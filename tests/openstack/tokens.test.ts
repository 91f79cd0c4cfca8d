import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Secret, randomIds } from '@gantry/kernel'
import type { ProjectId, RequestId, UserId } from '@gantry/model'
import { allOf, identityService, networkService, type Scope } from '@gantry/openstack'
import { keystoneNamespaces } from '@gantry/providers-openstack'
import { expect, test } from 'vitest'
import { byPassword, type Person, toProject } from '../fixtures/identity-contract.ts'
import { lineTo } from '../fixtures/line.ts'
import { type KeystonePeople, keystonePeople } from './keystone-people.ts'

const keystoneAt = { host: '127.0.0.1', port: 5000 }
const requestId = `req-${randomIds.uuid()}` as RequestId
const address = '192.0.2.1'
const required = expect.objectContaining({ code: 'auth.required' })
const unavailable = expect.objectContaining({ code: 'service.unavailable', kind: 'unavailable' })
const minute = 60_000

const open = keystonePeople

async function tokenOf({ identity }: KeystonePeople, person: Person): Promise<string> {
  return (await identity.tokens.issue(byPassword(person), toProject(person.projectId), address)).token
}

const toProjectOf = (id: string): Scope => ({ kind: 'project', project: { id } })

/** What a user's token leads to in another service. */
async function networksOf({ access }: KeystonePeople, token: string) {
  const networks = networkService(access.of({ token: new Secret(token) })).networks
  return allOf(networks.list({}, access.contextOf({ requestId })))
}

/** A token as Keystone would have made it for a short life; it issues none that are so short. */
async function shortToken({ id, projectId }: Person, seconds: number): Promise<string> {
  const config = join(process.env['TESTCLOUD_DIR'] ?? '/var/tmp/testcloud', 'etc/keystone/keystone.conf')
  const script = `
import sys, base64, datetime, uuid
import keystone.conf
from keystone.token import token_formatters
config, user, project, seconds = sys.argv[1:]
keystone.conf.configure()
keystone.conf.CONF(['--config-file', config], project='keystone')
ends = datetime.datetime.utcnow() + datetime.timedelta(seconds=float(seconds))
audit = base64.urlsafe_b64encode(uuid.uuid4().bytes)[:-2].decode()
print(token_formatters.TokenFormatter().create_token(user, ends.strftime('%Y-%m-%dT%H:%M:%S.000000Z'), [audit],
      token_formatters.ProjectScopedPayload, methods=['password'], project_id=project))`
  const { stdout } = await promisify(execFile)('/usr/bin/python3', ['-c', script, config, id, projectId, `${seconds}`])
  return stdout.trim()
}

/** A token that was verified while it was good, which takes a machine under load some time. */
async function inTime(people: KeystonePeople, person: Person, seconds = 4): Promise<string> {
  const token = await shortToken(person, seconds)
  const isKnown = await people.identity.verify(token, requestId).then(
    () => true,
    () => false,
  )
  return isKnown || seconds > 60 ? token : inTime(people, person, seconds * 3)
}

test('Keystone is asked once for all who come with a token at the same time, and once a minute after that', async () => {
  await using line = await lineTo(keystoneAt)
  await using people = await open()
  await using ours = await open({ authUrl: `${line.origin}/v3` })
  const token = await tokenOf(people, await people.newPerson('member'))
  await ours.access.service.token(ours.access.ownContext())
  const asked = async (work: () => Promise<unknown>) => {
    const before = line.calls()
    await work()
    return line.calls() - before
  }
  const crowd = () => Promise.all(Array.from({ length: 50 }, () => ours.identity.verify(token, requestId)))
  expect(await asked(crowd)).toBe(1)
  expect(await asked(crowd)).toBe(0)
  ours.pass(minute)
  // Nobody waits for the answer.
  expect(
    await asked(async () => {
      await crowd()
      await expect.poll(() => ours.access.known.get(token)?.checkedAt).toBeGreaterThan(ours.clock.now() - minute / 2)
    }),
  ).toBe(1)
  const dead = 'gAAAAABdeadtoken'
  const knock = () => Promise.allSettled(Array.from({ length: 50 }, () => ours.identity.verify(dead, requestId)))
  expect(await asked(knock)).toBe(1)
  expect(await asked(knock)).toBe(0)
})

test('a revoked token is good for nothing as soon as any service refuses it', async () => {
  await using people = await open()
  const { identity } = people
  const token = await tokenOf(people, await people.newPerson('member'))
  const told = { times: 0 }
  const unhook = identity.onRevoked?.(() => (told.times += 1))
  const stands = await identity.follow(token)
  await people.revoke(token)
  // Within the five minutes that its word counts.
  await identity.verify(token, requestId)
  await expect(networksOf(people, token)).rejects.toMatchObject({ status: 401 })
  expect(told.times).toBeGreaterThan(0)
  await expect(identity.verify(token, requestId)).rejects.toEqual(required)
  expect(await stands()).toBe(false)
  unhook?.()
})

test('what was begun in time is brought to its end after the time of the token', async () => {
  await using people = await open()
  const ann = await people.newPerson('member')
  const token = await inTime(people, ann)
  const stands = await people.identity.follow(token)
  await expect.poll(() => people.keystone.validate(token, people.access.ownContext()), { timeout: 120_000 }).toBeNull()
  people.pass(5_000)
  await expect(people.identity.verify(token, requestId)).rejects.toThrow('the token has expired')
  // Neutron takes it because the service user vouches for it, also when nothing is remembered of it any more.
  expect(await networksOf(people, token)).toBeInstanceOf(Array)
  await using forgetful = await open()
  expect(await networksOf(forgetful, token)).toBeInstanceOf(Array)
  // A connection that is open stays open: only time has run out.
  people.pass(minute)
  expect(await stands()).toBe(true)
  await people.disableUser(ann)
  people.pass(minute)
  expect(await stands()).toBe(false)
  await expect(networksOf(await open(), token)).rejects.toMatchObject({ status: 401 })
})

test('an expired token counts beside a token of a service, and beside no other', async () => {
  await using people = await open()
  const { identity, access } = people
  const [ann, bob] = [await people.newPerson('member'), await people.newPerson('member')]
  const token = await shortToken(ann, 1)
  await expect.poll(() => people.keystone.validate(token, access.ownContext()), { timeout: 60_000 }).toBeNull()
  const heats = await access.service.token(access.ownContext())
  await expect(identity.verify(token, requestId)).rejects.toEqual(required)
  expect(await identity.verify(token, requestId, heats)).toMatchObject({ userId: ann.id, isAdmin: false })
  await expect(identity.verify(token, requestId, await tokenOf(people, bob))).rejects.toThrow('the role service')
  await expect(identity.verify(token, requestId, 'gAAAAABnothing')).rejects.toEqual(required)
  await expect(identity.verify('gAAAAABnothing', requestId, heats)).rejects.toEqual(required)
  await people.disableUser(ann)
  people.pass(5 * minute)
  await expect(identity.verify(token, requestId, heats)).rejects.toEqual(required)
})

test('whom a user trusts comes as she', async () => {
  await using people = await open()
  const { access, identity } = people
  const [ann, heat] = [await people.newPerson('member'), await people.newPerson('member')]
  const sessionOf = ({ name, password, projectId }: Person, scope: Scope = toProjectOf(projectId)) =>
    access.session({ kind: 'password', user: { name, domain: { id: 'default' } }, password, scope })
  const { id: trustId } = await identityService(sessionOf(ann)).trusts.create(
    {
      trustor_user_id: ann.id,
      trustee_user_id: heat.id,
      project_id: ann.projectId,
      impersonation: true,
      roles: [{ name: 'member' }],
    },
    access.ownContext(),
  )
  const token = await sessionOf(heat, { kind: 'trust', trustId }).token(access.ownContext())
  const caller = await identity.verify(token, requestId)
  expect(caller).toMatchObject({ userId: ann.id, projectId: ann.projectId, isAdmin: false })
  expect(await networksOf(people, token)).toBeInstanceOf(Array)
  // It cannot make itself longer-lived.
  const asker = await identity.authenticate(token, requestId)
  await expect(identity.appCredentials.create(asker, ann.id, { name: 'more' })).rejects.toMatchObject({
    code: 'policy.forbidden',
  })
  await identityService(sessionOf(ann)).trusts.remove(trustId, access.ownContext())
  people.pass(5 * minute)
  await expect(identity.verify(token, requestId)).rejects.toEqual(required)
})

test('without Keystone, tokens that it was asked about go on for five minutes; then, and for others, it is 503', async () => {
  await using line = await lineTo(keystoneAt)
  await using people = await open()
  await using ours = await open({ authUrl: `${line.origin}/v3` })
  const [ann, bob] = [await people.newPerson('member'), await people.newPerson('member')]
  const [known, unknown] = [await tokenOf(people, ann), await tokenOf(people, bob)]
  const { identity } = ours
  await identity.verify(known, requestId)
  const stands = await identity.follow(known)
  const namespaces = keystoneNamespaces({ access: ours.access, clock: ours.clock, log: console })
  expect(await namespaces.projectOf(ann.projectName)).toBe(ann.projectId)

  await line.cut()
  ours.pass(4 * minute)
  expect(await identity.verify(known, requestId)).toMatchObject({ userId: ann.id })
  await expect(identity.verify(unknown, requestId)).rejects.toEqual(unavailable)
  await expect(identity.tokens.issue(byPassword(ann), { kind: 'default' }, address)).rejects.toEqual(unavailable)
  ours.pass(minute)
  await expect(identity.verify(known, requestId)).rejects.toThrow(
    'The identity service cannot be used at the moment: it does not answer; tokens that it was asked about in the last 5 minutes go on working',
  )
  // Nobody can tell, so nothing is cut.
  await expect(stands()).rejects.toEqual(unavailable)
  expect(await namespaces.projectOf(ann.projectName)).toBe(ann.projectId)
  await expect(namespaces.projectOf('another')).rejects.toEqual(unavailable)
  expect(await namespaces.userNameOf('0'.repeat(32) as UserId)).toBe('0'.repeat(32))

  await line.mend()
  ours.pass(2_000)
  expect(await identity.verify(known, requestId)).toMatchObject({ userId: ann.id })
  expect(await identity.verify(unknown, requestId)).toMatchObject({ userId: bob.id })
  expect(await stands()).toBe(true)
})

test('a Keystone that says nothing is given up after half a minute', async () => {
  await using line = await lineTo(keystoneAt)
  await using people = await open()
  await using ours = await open({ authUrl: `${line.origin}/v3` })
  const token = await tokenOf(people, await people.newPerson('member'))
  line.silence()
  await expect(ours.identity.verify(token, requestId)).rejects.toEqual(unavailable)
  await line.mend()
  ours.pass(2_000)
  await ours.identity.verify(token, requestId)
})

test('when Keystone does not accept the server itself, its users are not to blame', async () => {
  const lines: string[] = []
  const note = (fields: object, message: string) => lines.push(`${message} ${JSON.stringify(fields)}`)
  const log = { info: note, warn: note, error: note }
  await using people = await open()
  const user = { name: 'gantry', domain: { id: 'default' } }
  const scope = { kind: 'project', project: { name: 'service', domain: { id: 'default' } } } as const
  await using ours = await open({ service: { kind: 'password', user, password: 'very-wrong', scope }, log })
  const token = await tokenOf(people, await people.newPerson('member'))
  await expect(ours.identity.verify(token, requestId)).rejects.toThrow('it does not accept this server')
  expect(lines.join('\n')).toContain('keystone does not accept the user of this server')
  expect(lines.join('\n')).not.toMatch(/very-wrong|gAAAA/)
})

test('projects and users have the names that Keystone gives them', async () => {
  await using people = await open()
  const namespaces = keystoneNamespaces({ access: people.access, clock: people.clock, log: console })
  const { keystone, access } = people
  const ann = await people.newPerson('member')
  const id = ann.projectId as ProjectId
  const dashed = id.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
  expect(await namespaces.projectOf(ann.projectName)).toBe(id)
  expect(await namespaces.projectOf(id)).toBe(id)
  expect(await namespaces.projectOf(dashed)).toBe(id)
  expect(await namespaces.namespaceOf(id)).toBe(ann.projectName)
  expect(await namespaces.userNameOf(ann.id as UserId)).toBe(ann.name)
  expect(await namespaces.projectOf('nobody')).toBeNull()
  expect(await namespaces.projectOf('a/b?name=demo')).toBeNull()

  const next = `person-${randomIds.hex(4)} Ltd.`
  await keystone.projects.update(id, { name: next }, access.ownContext())
  people.pass(minute)
  expect(await namespaces.projectOf(ann.projectName)).toBeNull()
  // No repository can be called so.
  expect(await namespaces.namespaceOf(id)).toBe(id)
})
