import type { Revocation, SigningKey, TokenInfo } from '@gantry/control'
import { randomIds } from '@gantry/kernel'
import { expect, test } from 'vitest'
import { keyRing } from './key-ring.ts'
import { subject, tokenBox } from './tokens.ts'

const hourMs = 3_600_000
const tokenLifeMs = 8 * hourMs
const rotateMs = 24 * hourMs

function setUp() {
  const clock = { at: 1_800_000_000_000, now: () => clock.at }
  const keys: SigningKey[] = []
  const revoked = new Map<string, Revocation>()
  const counts = { asked: 0, loaded: 0 }
  const table = {
    list: async () => {
      counts.loaded += 1
      return keys.toSorted((one, two) => two.createdAt - one.createdAt)
    },
    add: async (key: SigningKey) => void keys.push(key),
    remove: async (id: string) =>
      void keys.splice(
        keys.findIndex((key) => key.id === id),
        1,
      ),
  }
  const revocations = {
    add: async (revocation: Revocation) => void revoked.set(revocation.subject, revocation),
    covers: async (subjects: readonly string[], issuedAt: number) => {
      counts.asked += 1
      return subjects.some((name) => (revoked.get(name)?.at ?? -1) >= issuedAt)
    },
    prune: async () => undefined,
  }
  /** Each is a server of its own on the same store. */
  const open = () => {
    const ring = keyRing({ table, clock, ids: randomIds, rotateMs, tokenLifeMs })
    return tokenBox({ store: { revocations }, keys: ring, clock, tokenLifeMs })
  }
  const info = (): TokenInfo => ({
    methods: ['password'],
    user: { id: 'u', name: 'ann', domain: { id: 'default', name: 'Default' } },
    scope: { kind: 'project', project: { id: 'p', name: 'demo', domain: { id: 'default', name: 'Default' } } },
    roles: [{ id: 'r', name: 'member' }],
    auditIds: ['a'],
    issuedAt: clock.at,
    expiresAt: clock.at + tokenLifeMs,
    appCredential: null,
  })
  return { clock, keys, revocations, counts, open, info }
}

test('a token says what was put into it, on every server', async () => {
  const { open, info } = setUp()
  const sealed = info()
  const token = await open().seal(sealed)
  expect(await open().open(token)).toEqual(sealed)
})

test.each([
  ['a changed body', (token: string) => token.replace(/\.(.)/, (_all, first) => `.${first === 'e' ? 'f' : 'e'}`)],
  ['a changed signature', (token: string) => `${token.slice(0, -4)}AAAA`],
  ['no signature', (token: string) => `${Buffer.from('{"alg":"none"}').toString('base64url')}.${token.split('.')[1]}.`],
  [
    'another key',
    (token: string) => `${Buffer.from('{"alg":"HS256","kid":"0"}').toString('base64url')}.${token.split('.')[1]}.AA`,
  ],
  ['nonsense', () => 'x'],
  ['a megabyte', () => 'x'.repeat(1_000_000)],
])('refuses %s', async (_what, spoil) => {
  const { open, info } = setUp()
  const box = open()
  const token = await box.seal(info())
  await expect(box.open(spoil(token))).rejects.toMatchObject({ code: 'auth.required' })
})

test('expires to the millisecond, also when remembered', async () => {
  const { clock, open, info } = setUp()
  const box = open()
  const token = await box.seal(info())
  clock.at += tokenLifeMs - 1
  await box.open(token)
  clock.at += 1
  await expect(box.open(token)).rejects.toThrow('expired')
  await expect(open().open(token)).rejects.toThrow('expired')
})

test.each([
  subject.token('a'),
  subject.user('u'),
  subject.project('p'),
  subject.domain('default'),
  subject.role('r'),
  subject.grant('u', { kind: 'project', id: 'p' }),
])('revoking %s ends the token here at once, elsewhere within seconds, and later ones live', async (name) => {
  const { clock, open, info } = setUp()
  const [here, elsewhere] = [open(), open()]
  const token = await here.seal(info())
  await Promise.all([here.open(token), elsewhere.open(token)])
  await here.revoke(name)
  await expect(here.open(token)).rejects.toThrow('revoked')
  clock.at += 6_000
  await expect(elsewhere.open(token)).rejects.toThrow('revoked')
  await expect(here.open(await here.seal(info()))).resolves.toMatchObject({ user: { id: 'u' } })
})

test('others’ revocations do not concern it', async () => {
  const { open, info } = setUp()
  const box = open()
  const token = await box.seal(info())
  await box.revoke(subject.user('v'), subject.grant('u', { kind: 'project', id: 'q' }), subject.appCredential('c'))
  await box.open(token)
})

test('the store is asked once, not at every request', async () => {
  const { counts, open, info } = setUp()
  const box = open()
  const token = await box.seal(info())
  for (let request = 0; request < 100; request += 1) await box.open(token)
  expect(counts.asked).toBe(1)
})

test('a check that a revocation overtakes is not remembered', async () => {
  const { revocations, open, info } = setUp()
  const box = open()
  const token = await box.seal(info())
  const covers = revocations.covers
  const { promise: asked, resolve: ask } = Promise.withResolvers<void>()
  const { promise: held, resolve: letGo } = Promise.withResolvers<void>()
  revocations.covers = async (subjects, issuedAt) => {
    const answer = await covers(subjects, issuedAt)
    ask()
    await held
    return answer
  }
  const slow = box.open(token)
  await asked
  await box.revoke(subject.user('u'))
  letGo()
  await slow
  await expect(box.open(token)).rejects.toThrow('revoked')
})

test('keys rotate; the old one verifies as long as its tokens live, and is then gone', async () => {
  const { clock, keys, open, info } = setUp()
  const box = open()
  clock.at += 1
  await box.seal(info())
  clock.at += rotateMs - 1
  const late = await box.seal(info())
  clock.at += 1
  await box.seal(info())
  expect(keys).toHaveLength(2)
  clock.at += tokenLifeMs - 2
  await open().open(late)
  clock.at += rotateMs + tokenLifeMs
  await box.seal(info())
  expect(keys).toHaveLength(1)
})

test('unknown key ids do not make a query each', async () => {
  const { counts, open, info } = setUp()
  const box = open()
  const token = await box.seal(info())
  const before = counts.loaded
  const foreign = `${Buffer.from('{"alg":"HS256","kid":"x"}').toString('base64url')}.${token.split('.')[1]}.AA`
  for (let request = 0; request < 50; request += 1) await box.open(foreign).catch(() => undefined)
  expect(counts.loaded - before).toBeLessThanOrEqual(1)
})
