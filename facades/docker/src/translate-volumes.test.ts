import type { NewVolume } from '@gantry/control'
import type { Caller, Volume } from '@gantry/model'
import { expect, test } from 'vitest'
import type { DockerContext } from './context.ts'
import { nameOfVolume } from './known-volumes.ts'
import { mountsOf } from './translate-volumes.ts'
import { sizeOf } from './volume-options.ts'

const caller = { projectId: 'p' } as Caller

function aDocker(volumes: Partial<Volume>[] = []) {
  const made: NewVolume[] = []
  const create = async (_caller: Caller, asked: NewVolume) => {
    made.push(asked)
    return { id: `id of ${asked.name}`, name: asked.name }
  }
  const control = { activity: { note: () => undefined }, storage: { volumes: { list: async () => volumes, create } } }
  return { docker: { control } as unknown as DockerContext, made }
}

const known = { id: 'v1', name: 'data', status: 'available', ephemeral: false } as Partial<Volume>

test('all three ways to ask for mounts come out, and missing volumes are made', async () => {
  const { docker, made } = aDocker([known])
  const host = {
    Binds: ['data:/data:ro', 'fresh:/fresh:z,nocopy', '/granted:/host', '/anon'],
    Mounts: [
      { Type: 'volume', Source: 'named', Target: '/named', VolumeOptions: { Labels: { a: 'b' } } },
      { Type: 'tmpfs', Target: '/mem', TmpfsOptions: { SizeBytes: 1024, Mode: 0o700 } },
      { Type: 'bind', Source: '/granted', Target: '/bound' },
    ],
  }
  const { mounts, tmpfs } = await mountsOf(docker, caller, { host, config: { Volumes: { '/data/': {}, '/more': {} } } })
  const anonymous = { kind: 'new', size: 10, readOnly: false, fill: true, shared: true }
  expect(mounts).toEqual([
    { kind: 'volume', source: 'v1', destination: '/data', readOnly: true, fill: true },
    { kind: 'volume', source: 'id of fresh', destination: '/fresh', readOnly: false, fill: false },
    { ...anonymous, destination: '/anon', labels: { 'com.docker.volume.anonymous': '' } },
    { kind: 'volume', source: 'id of named', destination: '/named', readOnly: false, fill: true },
    { ...anonymous, destination: '/more', labels: { 'com.docker.volume.anonymous': '' } },
  ])
  expect(tmpfs).toEqual({ '/mem': 'size=1024,mode=700' })
  expect(made).toEqual([
    { name: 'fresh', size: 10, shared: true, labels: {}, options: {} },
    { name: 'named', size: 10, shared: true, labels: { a: 'b' }, options: {} },
  ])
})

test('volumes that a mount or --volume-driver describes are made so', async () => {
  const { docker, made } = aDocker([known])
  const DriverConfig = { Name: 'fuxi', Options: { size: '3', volume_provider: 'cinder', multiattach: 'true' } }
  const host = {
    VolumeDriver: 'manila',
    Binds: ['files:/files', 'data:/data'],
    Mounts: [{ Type: 'volume', Source: 'decks', Target: '/decks', VolumeOptions: { DriverConfig } }],
  }
  await expect(mountsOf(docker, caller, { host, config: {} })).rejects.toMatchObject({
    status: 409,
    message:
      'create data: conflict: a volume of that name exists already and is kept on a host of this cloud, not by manila',
  })
  const { mounts } = await mountsOf(docker, caller, { host: { ...host, Binds: ['files:/files'] }, config: {} })
  expect(mounts).toHaveLength(2)
  expect(made.at(-2)).toMatchObject({
    name: 'files',
    size: 1,
    backend: 'manila',
    options: { 'gantry.driver': 'manila' },
  })
  expect(made.at(-1)).toMatchObject({ name: 'decks', size: 3, backend: 'cinder', multiattach: true, shared: true })
})

test('one without a name cannot say who keeps it', async () => {
  const host = { VolumeDriver: 'cinder', Binds: ['/anonymous'] }
  await expect(mountsOf(aDocker().docker, caller, { host, config: {} })).rejects.toMatchObject({ status: 400 })
  const fuxi = await mountsOf(aDocker().docker, caller, { host: { ...host, VolumeDriver: 'fuxi' }, config: {} })
  expect(fuxi.mounts).toMatchObject([{ kind: 'new', size: 1, shared: true }])
})

test.each([
  { Binds: ['a:/x', 'b:/x/'] },
  { Binds: ['data:x'] },
  { Binds: ['data:/'] },
  { Binds: ['data:/x:frob'] },
  { Binds: [':/x'] },
  { Binds: ['a:b:c:d'] },
  { Binds: ['b@d:/x'] },
  { Mounts: [{ Type: 'volume', Source: 'data' }] },
  { Mounts: [{ Type: 'npipe', Target: '/x' }] },
  { Mounts: [{ Type: 'tmpfs', Source: 'data', Target: '/x' }] },
])('%j is refused', async (host) => {
  await expect(mountsOf(aDocker([known]).docker, caller, { host, config: {} })).rejects.toMatchObject({ status: 400 })
})

test('a volume that is going is none', async () => {
  const { docker, made } = aDocker([{ ...known, status: 'deleting' }])
  await mountsOf(docker, caller, { host: { Binds: ['data:/data'] }, config: {} })
  expect(made).toHaveLength(1)
})

test.each([
  ['10', 10],
  ['10G', 10],
  ['10GB', 10],
  ['10GiB', 10],
  ['512M', 1],
  ['1.5g', 2],
  ['1T', 1024],
])('size %s is %d GiB', (size, gib) => {
  expect(sizeOf({ size })).toBe(gib)
})

test.each(['', '0', 'x', '-1', '10X', '1e3'])('size %s is refused', (size) => {
  expect(() => sizeOf({ size })).toThrow('"size" must be like')
})

test('one without a name is known by its id', () => {
  const volume = { id: 'aaaa-bb', name: 'of-container-x', ephemeral: true } as unknown as Volume
  expect(nameOfVolume(volume)).toBe('aaaabb')
})
