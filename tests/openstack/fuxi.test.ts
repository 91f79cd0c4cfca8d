import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { kinds, volumeService } from '@gantry/openstack'
import { type FuxiWorld, fuxiWorld } from './fixtures/fuxi-world.ts'
import { eventually } from './fixtures/test-cloud.ts'

let world: FuxiWorld

beforeAll(async () => {
  world = await fuxiWorld()
}, 180_000)

afterEach(async () => {
  await world.clear()
}, 120_000)

afterAll(async () => {
  await world.end()
}, 120_000)

const opts = (all: Readonly<Record<string, string | number>>) =>
  Object.entries(all).flatMap(([key, value]) => ['--opt', `${key}=${value}`])
const create = (name: string, options: Readonly<Record<string, string | number>> = {}, host = world.a) =>
  host.engine.docker('volume', 'create', '--driver', 'fuxi', '--name', name, ...opts(options))
const remove = (name: string, host = world.a) => host.engine.docker('volume', 'rm', name)
/** A volume of the project that the plugin did not make. */
const foreign = async (name: string, more = {}) => {
  const { cinder, context } = world
  const { id } = await cinder.volumes.create({ name, size: 1, ...more }, context())
  await eventually('the volume', async () => (await cinder.volumes.show(id, context())).status === 'available')
  return id
}

describe('volumes of Cinder in plain Docker', () => {
  test('what the decks show, on one host and then on another', async () => {
    const { a, b, volumeNamed, manyType } = world
    const said = await create('my_vol', {
      size: 1,
      fstype: 'ext4',
      multiattach: 'true',
      volume_type: manyType,
      volume_provider: 'cinder',
    })
    expect(said).toBe('my_vol')
    expect(await volumeNamed('my_vol')).toMatchObject({
      size: 1,
      status: 'available',
      multiattach: true,
      metadata: { volume_from: 'fuxi', fstype: 'ext4' },
    })
    expect(await a.engine.docker('volume', 'ls', '--format', '{{.Driver}} {{.Name}}')).toBe('fuxi my_vol')

    await a.run('my_vol', 'echo hello > /var/www/index.html')
    await world.nothingAttached()
    expect(await a.run('my_vol', 'cat /var/www/index.html')).toBe('hello')
    expect(await b.run('my_vol', 'cat /var/www/index.html')).toBe('hello')
    await world.nothingAttached()

    await remove('my_vol', b)
    expect(await volumeNamed('my_vol')).toBeUndefined()
    await eventually('the other host to know', async () => (await a.engine.docker('volume', 'ls', '-q')) === '')
  }, 120_000)

  test('one that a container asks for by name alone; two containers on a host share it', async () => {
    const { a, volumeNamed, attachments } = world
    const driver = ['--volume-driver', 'fuxi', '--network=none', '-v', 'shared:/data']
    await a.engine.docker('run', '-d', '--name', 'one', ...driver, 'busybox', 'sleep', '600')
    await a.engine.docker('run', '-d', '--name', 'two', ...driver, 'busybox', 'sleep', '600')
    expect(await volumeNamed('shared')).toMatchObject({ size: 1, status: 'in-use', metadata: { fstype: 'ext4' } })
    await a.engine.docker('exec', 'one', 'sh', '-c', 'echo from one > /data/file')
    expect(await a.engine.docker('exec', 'two', 'cat', '/data/file')).toBe('from one')

    await a.engine.docker('rm', '-f', 'one')
    expect(await attachments()).toHaveLength(1)
    await a.engine.docker('exec', 'two', 'sh', '-c', 'echo still here >> /data/file')
    await a.engine.docker('rm', '-f', 'two')
    await world.nothingAttached()
    expect(await volumeNamed('shared')).toMatchObject({ status: 'available' })
  }, 120_000)

  test('docker volume inspect tells what there is to know', async () => {
    const { a, volumeNamed } = world
    await create('shown', { size: 2 })
    const inspect = async () =>
      JSON.parse(await a.engine.docker('volume', 'inspect', 'shown')) as [{ Status: object; Mountpoint: string }]
    const volume = await volumeNamed('shown')
    expect(await inspect()).toMatchObject([
      {
        Driver: 'fuxi',
        Scope: 'global',
        Mountpoint: '',
        Status: {
          provider: 'cinder',
          id: volume?.id,
          size_gb: '2',
          status: 'available',
          fstype: 'ext4',
          attached_to: '',
        },
      },
    ])
    await a.engine.docker('run', '-d', '--network=none', '-v', 'shown:/x', 'busybox', 'sleep', '600')
    await eventually('the host to be shown', async () => {
      const [{ Status, Mountpoint }] = await inspect()
      return JSON.stringify(Status).includes('"attached_to":"host host-a"') && Mountpoint.endsWith('/cinder/shown')
    })
  }, 120_000)

  test.each(['ext3', 'xfs', 'btrfs'])(
    'the file system that is asked for: %s',
    async (fstype) => {
      const { a, b, volumeNamed } = world
      await create('fs', { fstype })
      await a.run('fs', 'echo kept > /var/www/f')
      expect(await volumeNamed('fs')).toMatchObject({ metadata: { fstype } })
      expect(await b.run('fs', 'cat /var/www/f; grep " /var/www " /proc/mounts | cut -d " " -f 3')).toBe(
        `kept\n${fstype}`,
      )
    },
    120_000,
  )

  test('from a snapshot, and from another volume, with their data', async () => {
    const { a, volumeNamed, cinder, context } = world
    await create('first')
    await a.run('first', 'echo original > /var/www/f')
    await world.nothingAttached()
    const source = await volumeNamed('first')
    await create('clone', { source_volid: source?.id ?? '' })
    expect(await a.run('clone', 'cat /var/www/f')).toBe('original')
    const snapshot = await cinder.snapshots.create({ volume_id: source?.id ?? '', name: 's' }, context())
    await eventually('it', async () => (await cinder.snapshots.show(snapshot.id, context())).status === 'available')
    await create('restored', { snapshot_id: snapshot.id, description: 'of a snapshot' })
    expect(await a.run('restored', 'cat /var/www/f')).toBe('original')
    expect(await volumeNamed('restored')).toMatchObject({ size: 1, description: 'of a snapshot' })
    await expect(remove('first')).rejects.toThrow(/snapshot/)
  }, 180_000)

  test('options go to Cinder; what it has no more, and what is wrong, is told', async () => {
    const { volumeNamed, volumes, manyType } = world
    await create('placed', { availability_zone: 'nova', volume_type: 'files', scheduler_hints: '{"same_host": []}' })
    expect(await volumeNamed('placed')).toMatchObject({ availability_zone: 'nova', volume_type: 'files' })
    const refusals: [Record<string, string>, RegExp][] = [
      [{ size: 'abc' }, /size is a whole number of GiB above 0, not "abc"/],
      [{ size: '1.5' }, /size is a whole number/],
      [{ size: '0' }, /size is a whole number/],
      [{ colour: 'red' }, /no option "colour" of cinder volumes; there are availability_zone, .*volume_type/],
      [{ volume_provider: 'swift' }, /no volume provider "swift"/],
      [{ fstype: 'ntfs' }, /fstype is one of ext2, ext3, ext4/],
      [{ multiattach: 'perhaps' }, /multiattach is true or false/],
      [{ multiattach: 'true', volume_type: 'files' }, new RegExp(`files is not for multiattach.*${manyType}`)],
      [{ multiattach: 'true', volume_type: 'none' }, /no volume type none/],
      [{ volume_type: 'none' }, /Cinder: .*none/],
      [{ availability_zone: 'moon' }, /moon/],
      [{ scheduler_hints: 'x' }, /scheduler_hints is a JSON object/],
      [{ source_replica: 'x' }, /source_replica cannot be given/],
      [{ user_id: 'x' }, /user_id cannot be given/],
      [{ project_id: 'x' }, /project_id cannot be given/],
      [{ consistencygroup_id: '00000000-0000-4000-8000-000000000000' }, /Cinder: .*[Gg]roup/],
      [{ snapshot_id: '00000000-0000-4000-8000-000000000000' }, /Cinder: .*[Ss]napshot/],
      [{ read_only: 'true' }, /read_only is for a volume that has data/],
    ]
    for (const [options, sentence] of refusals) await expect(create('wrong', options)).rejects.toThrow(sentence)
    await expect(create('a/b')).rejects.toThrow(/cannot be a volume's name/)
    expect((await volumes()).map(({ name }) => name)).toEqual(['placed'])
  }, 180_000)
})

describe('volumes that are there already', () => {
  test('are adopted by their id: with their data, never made anew', async () => {
    const { a, b, cinder, context, volumeNamed } = world
    await create('old', { fstype: 'xfs' })
    await a.run('old', 'echo precious > /var/www/f')
    const id = (await volumeNamed('old'))?.id ?? ''
    // As if somebody had made it by other means.
    for (const key of ['volume_from', 'fstype']) await cinder.removeMetadata(id, key, context())
    await eventually('it to be forgotten', async () => (await b.engine.docker('volume', 'ls', '-q')) === '')

    await expect(create('other', { volume_id: id }, b)).rejects.toThrow(/its name is "old", and must be the same/)
    await create('old', { volume_id: id }, b)
    expect(await volumeNamed('old')).toMatchObject({ id, metadata: { volume_from: 'fuxi' } })
    expect(await b.run('old', 'cat /var/www/f')).toBe('precious')
  }, 120_000)

  test('are left as they are if they have no file system', async () => {
    const { a, volumeNamed } = world
    const id = await foreign('raw')
    await create('raw', { volume_id: id, fstype: 'ext4' })
    await expect(a.run('raw', 'true')).rejects.toThrow(/file system/)
    await world.nothingAttached()
    expect(await volumeNamed('raw')).toMatchObject({ status: 'available', metadata: { fstype: 'ext4' } })
  }, 120_000)

  test('are refused where that could do harm', async () => {
    const { cinder, context, cloud } = world
    await expect(create('x', { volume_id: 'ffffffff-0000-4000-8000-000000000000' })).rejects.toThrow(
      /no volume ffffffff/,
    )
    const taken = await foreign('taken')
    const { id } = await cinder.attachments.create({ volume_uuid: taken }, context())
    await expect(create('taken', { volume_id: taken })).rejects.toThrow(/its status is reserved/)
    await cinder.attachments.remove(id, context())
    await expect(create('taken', { volume_id: taken, size: 3 })).rejects.toThrow(/its size in GiB is 1/)
    await expect(create('taken', { volume_id: taken, snapshot_id: taken })).rejects.toThrow(/for a new volume/)
    await cinder.setMetadata(taken, { fstype: 'xfs' }, context())
    await expect(create('taken', { volume_id: taken, fstype: 'ext4' })).rejects.toThrow(/its file system is xfs/)

    // Of another project, which even an administrator's plugin must not touch.
    const other = volumeService(cloud.adminSession)
    const theirs = await other.volumes.create({ name: 'theirs', size: 1, metadata: { volume_from: 'fuxi' } }, context())
    try {
      expect(await world.a.engine.docker('volume', 'ls', '-q')).not.toContain('theirs')
      await expect(create('theirs', { volume_id: theirs.id })).rejects.toThrow(/no volume/)
    } finally {
      await eventually('it', async () => (await other.volumes.show(theirs.id, context())).status === 'available')
      await other.volumes.remove(theirs.id, context())
    }
  }, 120_000)

  test('are found when another host made them a moment ago', async () => {
    const { a, b, volumes } = world
    await b.engine.docker('volume', 'ls', '-q')
    await create('fresh', { size: 2 }, a)
    // An engine that were told that there is none would make a folder of its own.
    expect(await b.run('fresh', 'grep -c " /var/www ext4" /proc/mounts')).toBe('1')
    const { Err } = await b.fuxi.call('VolumeDriver.Create', { Name: 'fresh', Opts: { size: '2' } })
    expect(Err).toBe('')
    expect((await b.fuxi.call('VolumeDriver.Create', { Name: 'fresh', Opts: { size: '3' } })).Err).toMatch(
      /size in GiB is 2/,
    )
    expect(await volumes()).toHaveLength(1)
  }, 120_000)

  test('are one when two hosts make them at once', async () => {
    const { a, b, volumes } = world
    const both = await Promise.all(
      [a, b].map(({ fuxi }) => fuxi.call('VolumeDriver.Create', { Name: 'twin', Opts: null })),
    )
    expect(both.map(({ Err }) => Err)).toEqual(['', ''])
    expect((await a.fuxi.call('VolumeDriver.Create', { Name: 'twin' })).Err).toBe('')
    await eventually('one of them', async () => (await volumes()).length === 1)
    await a.run('twin', 'echo x > /var/www/x')
    expect(await b.run('twin', 'cat /var/www/x')).toBe('x')
  }, 120_000)
})

describe('who has a volume', () => {
  test('another host is refused, and told where it is', async () => {
    const { a, b, volumeNamed, manyType } = world
    for (const [name, options] of [
      ['single', {}],
      ['many', { multiattach: 'true', volume_type: manyType }],
    ] as const) {
      await create(name, options)
      await a.engine.docker(
        'run',
        '-d',
        '--name',
        name,
        '--network=none',
        '-v',
        `${name}:/x`,
        'busybox',
        'sleep',
        '600',
      )
      await expect(b.run(name, 'true')).rejects.toThrow(/is in use: host host-a has it/)
      await expect(remove(name, b)).rejects.toThrow(/is in use: host host-a has it/)
      await expect(remove(name, a)).rejects.toThrow(/in use/)
      const { Err } = await a.fuxi.call('VolumeDriver.Remove', { Name: name })
      expect(Err).toMatch(/in use on this host by a container/)
      expect(await volumeNamed(name)).toMatchObject({ status: 'in-use' })
      await a.engine.docker('rm', '-f', name)
      await b.run(name, 'echo mine > /var/www/f')
    }
  }, 180_000)

  test('several hosts read one that is only read', async () => {
    const { a, b, cinder, context, volumeNamed, manyType, attachments } = world
    await create('library', { multiattach: 'true', volume_type: manyType })
    await a.run('library', 'echo book > /var/www/f')
    await world.nothingAttached()
    const id = (await volumeNamed('library'))?.id ?? ''
    await cinder.setMetadata(id, { fuxi_read_only: 'true' }, context())
    const hold = (host: typeof a) =>
      host.engine.docker(
        'run',
        '-d',
        '--name',
        'reader',
        '--network=none',
        '-v',
        'library:/x',
        'busybox',
        'sleep',
        '600',
      )
    await hold(a)
    await hold(b)
    expect((await attachments()).map(({ attach_mode }) => attach_mode)).toEqual(['ro', 'ro'])
    for (const { engine } of [a, b]) {
      expect(await engine.docker('exec', 'reader', 'cat', '/x/f')).toBe('book')
      await expect(engine.docker('exec', 'reader', 'touch', '/x/new')).rejects.toThrow(/Read-only/)
    }
  }, 120_000)

  test('what is unknown cannot be mounted, and is removed already', async () => {
    const { fuxi } = world.a
    expect((await fuxi.call('VolumeDriver.Get', { Name: 'none' })).Err).toMatch(/no volume none/)
    expect((await fuxi.call('VolumeDriver.Mount', { Name: 'none', ID: 'i' })).Err).toMatch(/no volume none in cinder/)
    expect((await fuxi.call('VolumeDriver.Remove', { Name: 'none' })).Err).toBe('')
    expect((await fuxi.call('VolumeDriver.Unmount', { Name: 'none', ID: 'i' })).Err).toBe('')
    expect((await fuxi.call('VolumeDriver.Mount', {})).Err).toMatch(/not the form|lost its contents/)
    expect((await fuxi.call('VolumeDriver.Fly', {})).Err).toMatch(/no method/)
  })

  test('the quota is told in words', async () => {
    const { cloud, project, context } = world
    const allow = (volumes: number) =>
      cloud.adminSession.ask(
        kinds.volume,
        { method: 'PUT', path: `/os-quota-sets/${project.id}`, json: { quota_set: { volumes } } },
        context(),
      )
    await allow(0)
    try {
      await expect(create('more')).rejects.toThrow(/Cinder: .*exceeded for quota 'volumes'/)
    } finally {
      await allow(10)
    }
  }, 60_000)
})
