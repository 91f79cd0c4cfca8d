import { readdir, readFile } from 'node:fs/promises'
import { allOf, rulesOf, type Session, type Share, type ShareService, shareService } from '@gantry/openstack'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { loadBusybox, startEngine, type TestEngine } from '../fixtures/engine.ts'
import { type FuxiProcess, fuxiProcess } from './fixtures/fuxi-process.ts'
import { eventually, type TestCloud, type TestProject, testCloud } from './fixtures/test-cloud.ts'
import { emptyOfShares } from './manila-world.ts'

/** `gantry fuxi` with Manila, on two engines that know nothing of Gantry; mounts go by the cloud's mount.nfs. */

interface Host {
  readonly address: string
  readonly fuxi: FuxiProcess
  readonly engine: TestEngine
  start(): Promise<void>
}

let cloud: TestCloud
let project: TestProject
let member: Session
let manila: ShareService
let a: Host
let b: Host
const context = () => cloud.context()

const undo: (() => PromiseLike<unknown>)[] = []

async function newHost(name: string, address: string): Promise<Host> {
  let engine: TestEngine | undefined
  const fuxi = await fuxiProcess({
    cloud,
    user: project.member,
    host: name,
    engine: () => engine,
    args: ['--volume-providers', 'cinder,manila', '--address', address],
  })
  const start = () => fuxi.start([], { TESTCLOUD_NFS_CLIENT: address })
  undo.push(() => fuxi[Symbol.asyncDispose]())
  const own = await startEngine({ pluginFolder: fuxi.pluginFolder })
  engine = own
  undo.push(() => own.stop())
  await Promise.all([loadBusybox(engine.socket), start()])
  return { address, fuxi, engine, start }
}

beforeAll(async () => {
  cloud = await testCloud()
  project = await cloud.newProject()
  member = cloud.session(project.member)
  manila = shareService(member)
  a = await newHost('host-a', '127.0.0.41')
  b = await newHost('host-b', '127.0.0.42')
})
afterEach(async () => {
  for (const { engine } of [a, b]) {
    const containers = await engine.docker('ps', '-aq')
    if (containers !== '') await engine.docker('rm', '-f', ...containers.split('\n'))
  }
  await nothingMounted()
  for (const { engine } of [a, b]) {
    const volumes = await engine.docker('volume', 'ls', '-q')
    // Gone by the other host, perhaps.
    if (volumes !== '') await engine.docker('volume', 'rm', '-f', ...volumes.split('\n')).catch(() => undefined)
  }
  await emptyOfShares(cloud, member)
})
afterAll(async () => {
  for (const step of undo.toReversed()) await step()
  await cloud?.[Symbol.asyncDispose]()
})

const optsOf = (opts: readonly string[]) => ['volume_provider=manila', ...opts]
const create = (host: Host, name: string, ...opts: string[]) => {
  const options = optsOf(opts).flatMap((opt) => ['--opt', opt])
  return host.engine.docker('volume', 'create', '--driver', 'fuxi', '--name', name, ...options)
}
/** Docker itself asks for nothing where there is a volume of the name, whatever the options. */
const refusal = async (host: Host, name: string, ...opts: string[]) => {
  const Opts = Object.fromEntries(optsOf(opts).map((opt) => opt.split('=')))
  return (await host.fuxi.call('VolumeDriver.Create', { Name: name, Opts })).Err
}
const start = (host: Host, name: string, volume: string) =>
  host.engine.docker(
    'run',
    '-d',
    '--network=none',
    `--name=${name}`,
    `-v=${volume}:/var/www`,
    'busybox',
    'sleep',
    '600',
  )
const say = (host: Host, name: string, line: string) => host.engine.docker('exec', name, 'sh', '-c', line)
const shareNamed = async (name: string): Promise<Share> => {
  const found = (await allOf(manila.shares.list({}, context()))).filter((share) => share.name === name)
  if (!found[0] || found.length > 1) throw new Error(`${found.length} shares are named ${name}.`)
  return found[0]
}
const letIn = async (name: string): Promise<string[]> =>
  ((await rulesOf(manila, (await shareNamed(name)).id, context())) ?? []).map(({ access_to: to }) => to).toSorted()

async function nothingMounted(): Promise<void> {
  await eventually('shares to be off all hosts', async () => {
    const table = await readFile('/proc/self/mountinfo', 'utf8')
    const records = await Promise.all([a, b].map(({ fuxi }) => readdir(`${fuxi.stateDir}/volumes`)))
    return records.flat().length === 0 && ![a, b].some(({ fuxi }) => table.includes(`${fuxi.volumeDir}/manila/`))
  })
}

/** Names are not used twice: what is deleted at Manila itself is known to the plugins a moment longer. */
describe('shares in plain Docker', () => {
  test('what the decks show: no share beside a volume of that name, then one, of 1 GiB, by NFS', async () => {
    await a.engine.docker('volume', 'create', '--driver', 'fuxi', '--name', 'my_vol', '--opt', 'volume_provider=cinder')
    expect(await refusal(b, 'my_vol')).toMatch(/already exists in another volume provider, cinder/)
    await a.engine.docker('volume', 'rm', 'my_vol')

    expect(await create(a, 'my_vol')).toBe('my_vol')
    expect(await shareNamed('my_vol')).toMatchObject({
      size: 1,
      status: 'available',
      share_proto: 'NFS',
      metadata: { volume_from: 'fuxi' },
    })
    expect(await letIn('my_vol')).toEqual([])
    expect(await create(a, 'my_vol', 'size=1')).toBe('my_vol')
    const status = JSON.parse(await a.engine.docker('volume', 'inspect', '-f', '{{json .Status}}', 'my_vol')) as object
    expect(status).toMatchObject({ provider: 'manila', size_gb: '1', share_proto: 'NFS', share_type: 'folders' })
    await b.engine.docker('volume', 'rm', 'my_vol')
    expect(await allOf(manila.shares.list({}, context()))).toEqual([])
  })

  test('two hosts write to a share at once; what was written stays; the last container on a host takes its access away', async () => {
    await create(a, 'web')
    await start(a, 'one', 'web')
    await start(a, 'two', 'web')
    await start(b, 'three', 'web')
    expect(await letIn('web')).toEqual([a.address, b.address])
    await say(a, 'one', 'echo hello > /var/www/index.html')
    expect(await say(b, 'three', 'cat /var/www/index.html; echo there > /var/www/other')).toBe('hello')
    expect(await say(a, 'two', 'cat /var/www/other')).toBe('there')
    await expect(a.engine.docker('volume', 'rm', 'web')).rejects.toThrow(/in use/)

    await a.engine.docker('rm', '-f', 'one')
    expect(await letIn('web')).toEqual([a.address, b.address])
    await a.engine.docker('rm', '-f', 'two')
    await eventually('its access to be gone', async () => (await letIn('web')).join() === b.address)
    await expect(a.engine.docker('volume', 'rm', 'web')).rejects.toThrow(/in use: host host-b has it/)
    expect(await say(b, 'three', 'cat /var/www/index.html')).toBe('hello')
    await b.engine.docker('rm', '-f', 'three')
    await nothingMounted()
    expect(await letIn('web')).toEqual([])
    await start(b, 'four', 'web')
    expect(await say(b, 'four', 'cat /var/www/index.html /var/www/other')).toBe('hello\nthere')
  })

  test('options are honoured, or refused with a sentence', async () => {
    await create(
      a,
      'full',
      'size=2',
      'share_proto=nfs',
      'share_type=folders',
      'description=papers',
      'is_public=no',
      'availability_zone=nova',
    )
    const share = await shareNamed('full')
    expect(share).toMatchObject({ size: 2, description: 'papers', is_public: false, share_type_name: 'folders' })
    const { id } = await manila.snapshots.create({ share_id: share.id, name: 's' }, context())
    await eventually('the snapshot', async () => (await manila.snapshots.show(id, context())).status === 'available')
    await create(a, 'again', `snapshot_id=${id}`)
    expect(await shareNamed('again')).toMatchObject({ size: 2, snapshot_id: id })
    await expect(a.engine.docker('volume', 'rm', 'full')).rejects.toThrow(/has snapshots; delete them first/)
    await a.engine.docker('volume', 'rm', 'again')
    await manila.snapshots.remove(id, context())
    await eventually('its end', async () => (await allOf(manila.snapshots.list({}, context()))).length === 0)

    expect(await refusal(a, 'full', 'size=3')).toMatch(/already, but its size in GiB is 2/)
    expect(await refusal(a, 'no', 'size=abc')).toMatch(/size is a whole number of GiB/)
    expect(await refusal(a, 'no', 'fstype=ext4')).toMatch(
      /no option "fstype" of manila volumes; there are .*share_proto/,
    )
    expect(await refusal(a, 'no', 'share_proto=CIFS')).toMatch(/mounts NFS and CEPHFS shares, not CIFS/)
    expect(await refusal(a, 'no', 'consistency_group_id=x')).toMatch(/share groups/)
    expect(await refusal(a, 'no', 'share_type=nope')).toMatch(/Manila: Share type not found/)
    expect(await refusal(a, 'no', 'size=900')).toMatch(/could not make the share no: .*No storage could be allocated/)
    expect(await refusal(a, 'no', 'size=100000')).toMatch(/quota/)
    expect((await allOf(manila.shares.list({}, context()))).map(({ name }) => name)).toEqual(['full'])
  })

  test('a share that is there already becomes a volume, if it may', async () => {
    const made = await manila.shares.create({ name: 'old', share_proto: 'NFS', size: 1 }, context())
    await eventually('it', async () => (await manila.shares.show(made.id, context())).status === 'available')
    expect(await refusal(a, 'new', `volume_id=${made.id}`)).toMatch(/its name is "old", and must be the same/)
    expect(await refusal(a, 'old', `volume_id=${made.id}`, 'description=x')).toMatch(/for a new share/)
    const other = shareService(cloud.session((await cloud.newProject()).member))
    const theirs = await other.shares.create({ name: 'old', share_proto: 'NFS', size: 1 }, context())
    expect(await refusal(a, 'old', `volume_id=${theirs.id}`)).toMatch(/no share .* in the project/)
    await eventually('theirs', async () => (await other.shares.show(theirs.id, context())).status === 'available')
    await other.shares.remove(theirs.id, context())
    await create(a, 'old', `volume_id=${made.id}`)
    expect(await shareNamed('old')).toMatchObject({ id: made.id, metadata: { volume_from: 'fuxi' } })
    // What its owner lets in stays, and keeps it from being deleted.
    await manila.access.allow(made.id, { access_type: 'ip', access_to: '127.0.0.99' }, context())
    await start(a, 'one', 'old')
    await a.engine.docker('rm', '-f', 'one')
    await nothingMounted()
    expect(await letIn('old')).toEqual(['127.0.0.99'])
    await expect(a.engine.docker('volume', 'rm', 'old')).rejects.toThrow(/in use: 127\.0\.0\.99, by an access rule/)
    const [rule] = (await rulesOf(manila, made.id, context())) ?? []
    await manila.access.deny(made.id, rule?.id ?? '', context())
    await eventually('its end', async () => (await letIn('old')).length === 0)
  })

  test('a plugin that was killed takes up what it had; one whose container went meanwhile lets it go', async () => {
    await create(a, 'kept')
    await start(a, 'one', 'kept')
    await say(a, 'one', 'echo hello > /var/www/index.html')
    await a.fuxi.kill9()
    await a.start()
    expect(await letIn('kept')).toEqual([a.address])
    await start(a, 'two', 'kept')
    expect(await say(a, 'two', 'cat /var/www/index.html')).toBe('hello')
    await a.engine.docker('rm', '-f', 'two')
    await a.fuxi.kill9()
    await a.engine.docker('rm', '-f', 'one')
    await a.start()
    await nothingMounted()
    await eventually('its access to be gone', async () => (await letIn('kept')).length === 0)
  })

  test('a Manila that is away stops nothing that runs, and is told where it is needed', async () => {
    await create(a, 'near')
    await start(a, 'one', 'near')
    await cloud.stop('manila-api')
    try {
      expect(await say(a, 'one', 'echo hello > /var/www/index.html; cat /var/www/index.html')).toBe('hello')
      expect(await refusal(b, 'other')).toMatch(/Manila does not answer/)
      await a.engine.docker('rm', '-f', 'one')
    } finally {
      await cloud.start('manila-api')
    }
    await nothingMounted()
    await eventually('its access to be gone', async () => (await letIn('near')).length === 0)
  })
})
