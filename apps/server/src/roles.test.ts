import type { Control } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import { type Caller, defaultSpec } from '@gantry/model'
import { expect, test } from 'vitest'
import { aCaller, aWorld } from './testing/a-world.ts'

const spec = defaultSpec('busybox')
const everything = { filters: {}, sortKey: 'id', descending: false, limit: 10, marker: null } as const
const forbidden = { code: 'policy.forbidden' }

/** What one may do who only looks; and what is not asked for by a user. */
const looks: readonly (readonly [group: string, verbs: string])[] = [
  ['containers', 'list counts get withIdPrefix until logs top stats getArchive actions action'],
  ['images', 'list get find download members search searchRegistry signaturePolicy'],
  // Repositories judge for themselves.
  ['registry', 'repository forHost mayPush repositories search verify provenance'],
  ['hosts', 'list get explain instances availabilityZones'],
  ['servers', 'list'],
  ['quotas', 'get defaults getClass'],
  ['events', 'watch changes'],
  ['webhooks', 'list get deliveries'],
  ['audit', 'page'],
  ['network', 'publishedOf'],
  ...['networks', 'subnets', 'ports', 'groups', 'routers', 'floatingIps'].map(
    (nouns) => [`network.${nouns}`, 'list get'] as const,
  ),
  ['storage.volumes', 'list get'],
  ['storage.snapshots', 'list get'],
  ['storage.backups', 'list get'],
  ['capsules', 'list get'],
  ['registries', 'list get'],
  ['consoles', 'connect'],
  ['engine', 'inspect execInspect stats changes export archiveStat'],
  ['engineImages', 'list inspect history resolve save search registryLogin distribution'],
  ['policy', 'judge'],
  ['activity', 'watch note'],
]

/** `containers.create` and all the others. */
function verbsOf(control: object, path = ''): [name: string, call: (...args: unknown[]) => unknown][] {
  return Object.entries(control).flatMap(([key, value]) =>
    typeof value === 'function'
      ? [[`${path}${key}`, value as () => unknown] as [string, () => unknown]]
      : verbsOf(value as object, `${path}${key}.`),
  )
}

/** Those that a caller is refused for her roles, whatever else she says. */
async function refusedTo(control: Control, caller: Caller): Promise<string[]> {
  const refused: string[] = []
  for (const [name, call] of verbsOf(control)) {
    // Without arguments of any use: all but the refusal is another error.
    const error = await Promise.resolve()
      .then(() => call(caller, '', {}))
      .catch((thrown: unknown) => thrown)
    if (error instanceof Fault && error.code === 'policy.forbidden' && /only look/.test(error.message))
      refused.push(name)
  }
  return refused
}

test.each([['reader'], ['Reader'], ['service'], ['reader', 'service'], []])(
  'with no other role than %s everything that changes something is refused, and nothing else',
  async (...roles) => {
    await using world = await aWorld()
    const refused = await refusedTo(world.control, aCaller('p1', roles.filter(Boolean)))
    const left = verbsOf(world.control)
      .map(([name]) => name)
      .filter((name) => !refused.includes(name))
    expect(left.toSorted()).toEqual(
      looks.flatMap(([group, verbs]) => verbs.split(' ').map((verb) => `${group}.${verb}`)).toSorted(),
    )
  },
)

test.each([['member'], ['_member_'], ['manager'], ['admin'], ['heat_stack_owner'], ['reader', 'member']])(
  'with role %s nothing is refused for its sake',
  async (...roles) => {
    await using world = await aWorld()
    expect(await refusedTo(world.control, aCaller('p1', roles))).toEqual([])
  },
)

test('a reader sees what the members of her project do, and leaves it as it is', async () => {
  await using world = await aWorld()
  const [member, reader] = [aCaller('p1'), aCaller('p1', ['reader'])]
  const { containers, network } = world.control
  await expect(containers.create(reader, { name: 'hers', spec, run: true })).rejects.toMatchObject(forbidden)
  // The usual network is made by whoever needs it first, but not by her.
  await expect(network.networks.ensureUsual(reader)).rejects.toThrow(
    'Changing anything is not allowed: your only role is reader in project p1, with which one may only look.',
  )
  const { id } = await containers.create(member, { name: 'web', spec, run: true })
  await world.host.idle()
  expect((await containers.list(reader, { ...everything, allProjects: false })).map(({ name }) => name)).toEqual([
    'web',
  ])
  expect(await containers.get(reader, 'web')).toMatchObject({ id, status: 'Running' })
  const usual = await network.networks.ensureUsual(member)
  expect(await network.networks.ensureUsual(reader)).toEqual(usual)
  await expect(containers.delete(reader, id, { force: false, stop: true })).rejects.toMatchObject(forbidden)
  await expect(containers.delete(aCaller('p2', ['reader']), id, { force: false, stop: true })).rejects.toMatchObject(
    forbidden,
  )
  expect(await containers.get(member, id)).toMatchObject({ status: 'Running' })
})
