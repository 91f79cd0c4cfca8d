import { generateKeyPairSync } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer, text } from 'node:stream/consumers'
import type { BuildRequest } from '@gantry/control'
import { tarEnd, wholeFile } from '@gantry/kernel'
import { defaultSpec } from '@gantry/model'
import { expect, test } from 'vitest'
import { type MadeImage, makeImage } from './testing/a-catalogue.ts'
import { push } from './testing/a-registry.ts'
import { aCaller, ownRegistry, simHostId } from './testing/a-world.ts'
import { anImageCloud, type ImageCloud, me, they } from './testing/an-image-cloud.ts'

const admin = aCaller('admins', ['admin'])
const soon = () => AbortSignal.timeout(10_000)
const [one, two] = [makeImage(['one', 'upper']), makeImage(['two'])]

async function aCloud(): Promise<ImageCloud> {
  const cloud = await anImageCloud()
  cloud.registry.set('library/app:1', one)
  cloud.registry.set('library/other:1', two)
  return cloud
}

const idOf = (image: MadeImage) => image.configDigest
const digits = (image: MadeImage) => image.configDigest.slice('sha256:'.length)

test('what one project pulled is another’s only when that pulls it too', async () => {
  await using cloud = await aCloud()
  const { engineImages } = cloud.world.control
  const said = await cloud.pull(me)
  expect(said).toContain('"status":"Pulling from library/app","id":"1"')
  expect(said).toContain(`Digest: ${one.digest}`)
  expect(said).toContain('Status: Downloaded newer image for app:1')
  expect(await cloud.names(they)).toEqual([])
  for (const ref of ['app:1', digits(one), digits(one).slice(0, 8), `app@${one.digest}`]) {
    await expect(engineImages.inspect(they, ref)).rejects.toMatchObject({ code: 'image.not-found' })
    await expect(engineImages.resolve(they, ref)).rejects.toMatchObject({ code: 'image.not-found' })
  }
  await cloud.pull(they)
  expect(await engineImages.resolve(they, digits(one).slice(0, 8))).toEqual({ image: 'app:1', imageId: idOf(one) })
  expect(await engineImages.resolve(they, `app@${one.digest}`)).toMatchObject({ imageId: idOf(one) })
  expect(await engineImages.remove(me, 'app:1', { force: false })).toEqual([
    { untagged: 'app:1' },
    { untagged: `app@${one.digest}` },
    { deleted: idOf(one) },
  ])
  expect(await cloud.names(they)).toEqual(['app:1'])
  expect(cloud.asked).toEqual([])
})

test('a pull that fails at once is refused, and leaves nothing', async () => {
  await using cloud = await aCloud()
  await expect(cloud.pull(me, 'nosuch')).rejects.toThrow('manifest unknown')
  expect(await cloud.names()).toEqual([])
})

test('a name that was pulled means for each project what it pulled', async () => {
  await using cloud = await aCloud()
  await cloud.pull(me)
  cloud.registry.set('library/app:1', two)
  await cloud.pull(they)
  expect(await cloud.world.control.engineImages.resolve(me, 'app:1')).toMatchObject({ imageId: idOf(one) })
  expect(await cloud.pull(me)).toContain('Downloaded newer image')
  expect(await cloud.world.control.engineImages.resolve(me, 'app:1')).toMatchObject({ imageId: idOf(two) })
  expect(await cloud.pull(me)).toContain('Image is up to date for app:1')
})

test('without a registry, what came from it is up to date, and what a host has comes from there', async () => {
  await using cloud = await aCloud()
  await cloud.pull(me)
  cloud.state.isAway = true
  expect(await cloud.pull(me)).toContain('this cloud has this image already')
  await expect(cloud.pull(they)).rejects.toMatchObject({ code: 'registry.unreachable' })
  cloud.engine.set('app:1', two)
  expect(await cloud.pull(they)).toContain('no route to it; the host has this image already')
  expect(await cloud.world.control.engineImages.resolve(they, 'app:1')).toMatchObject({ imageId: idOf(two) })
  await expect(cloud.pull(they, 'other', true)).rejects.toMatchObject({ code: 'registry.unreachable' })
})

test.each(['sha256', 'docker.io/sha256', 'gantry-0123456789abcdef0123456789abcdef/x'])(
  'no pull reaches an image of the engine’s by the name %s',
  async (repo) => {
    await using cloud = await aCloud()
    cloud.state.isAway = true
    cloud.engine.set(`${repo}:1`, two)
    await expect(cloud.pull(they, repo)).rejects.toMatchObject({ code: 'request.invalid' })
  },
)

test('a name of one’s own hides a public one, for oneself', async () => {
  await using cloud = await aCloud()
  const { engineImages } = cloud.world.control
  cloud.registry.set('library/busybox:1', two)
  await cloud.pull(admin, 'busybox')
  const [row] = await cloud.world.store.images.list(admin.projectId)
  if (row) await cloud.world.store.images.update(row.id, { visibility: 'public' })
  expect(await cloud.names(they)).toEqual(['busybox:1'])
  expect(await cloud.pull(they, 'busybox')).toContain('Image is up to date')
  await cloud.pull(me)
  await engineImages.tag(me, 'app:1', { repo: 'busybox', tag: '1' })
  expect(await engineImages.resolve(me, 'busybox:1')).toMatchObject({ imageId: idOf(one) })
  expect(await engineImages.resolve(they, 'busybox:1')).toMatchObject({ imageId: idOf(two) })
  await expect(engineImages.remove(they, 'busybox:1', { force: true })).rejects.toMatchObject({
    code: 'policy.forbidden',
  })
})

test('what is shared is seen below the namespace of whom it belongs to', async () => {
  await using cloud = await aCloud()
  const { engineImages } = cloud.world.control
  await cloud.pull(me)
  const [row] = await cloud.world.store.images.list(me.projectId)
  if (!row) throw new Error('nothing was pulled')
  await cloud.world.store.images.update(row.id, { visibility: 'shared' })
  expect(await cloud.names(they)).toEqual([])
  const times = { createdAt: 1, updatedAt: 1 }
  await cloud.world.store.images.setMember({
    imageId: row.id,
    projectId: they.projectId,
    status: 'accepted',
    ...times,
  })
  expect(await cloud.names(they)).toEqual(['p1/app:1'])
  expect(await engineImages.resolve(they, 'p1/app:1')).toEqual({ image: 'p1/app:1', imageId: idOf(one) })
  await expect(engineImages.resolve(they, 'app:1')).rejects.toMatchObject({ code: 'image.not-found' })
  await expect(engineImages.remove(they, 'p1/app:1', { force: true })).rejects.toMatchObject({
    code: 'policy.forbidden',
  })
})

test('a name that moves leaves its image without one; a further name takes that away', async () => {
  await using cloud = await aCloud()
  const { engineImages } = cloud.world.control
  await cloud.pull(me)
  await cloud.pull(me, 'other')
  await engineImages.tag(me, 'app:1', { repo: 'mine', tag: '1' })
  await engineImages.remove(me, 'app:1', { force: false })
  await engineImages.tag(me, 'other:1', { repo: 'mine', tag: '1' })
  const nameless = async () => engineImages.list(me, { filters: { dangling: true } })
  expect(await nameless()).toMatchObject([{ imageId: idOf(one), names: [] }])
  const { image } = await engineImages.resolve(me, digits(one))
  expect(await cloud.world.store.images.get(image as never)).toMatchObject({ projectId: 'p1', digest: one.digest })
  await engineImages.tag(me, digits(one), { repo: 'again', tag: '1' })
  expect(await nameless()).toEqual([])
})

test('an image that a container uses stays without its name, and goes when nothing needs it', async () => {
  await using cloud = await aCloud()
  const { engineImages, containers } = cloud.world.control
  await cloud.pull(me)
  const { id } = await containers.create(me, { name: 'user', spec: defaultSpec('app:1'), run: false })
  await expect(engineImages.remove(me, 'app:1', { force: false })).rejects.toThrow('must force')
  expect(await engineImages.remove(me, 'app:1', { force: true })).toEqual([
    { untagged: 'app:1' },
    { untagged: `app@${one.digest}` },
  ])
  expect(await engineImages.prune(me, {})).toEqual({ removed: [], reclaimed: 0 })
  expect((await engineImages.inspect(me, digits(one))).names).toEqual([])
  await cloud.world.host.idle()
  await containers.delete(me, id, { force: false, stop: true })
  await cloud.world.host.idle()
  expect(await engineImages.prune(me, {})).toMatchObject({ removed: [{ deleted: idOf(one) }] })
  expect(await cloud.world.store.contents.manifest(one.digest)).toBeUndefined()
})

test('ids are told apart, and nothing else is taken for one', async () => {
  await using cloud = await aCloud()
  const { engineImages } = cloud.world.control
  await cloud.pull(me)
  await cloud.pull(me, 'other')
  for (let count = 3; (await cloud.names()).length < 20; count += 1) {
    cloud.registry.set(`library/app${count}:1`, makeImage([`layer ${count}`]))
    await cloud.pull(me, `app${count}`)
  }
  // Of twenty ids two begin with the same digit.
  const ids = (await engineImages.list(me)).map(({ imageId }) => imageId.charAt(7))
  const twice = ids.find((digit, at) => ids.indexOf(digit) !== at) ?? ''
  await expect(engineImages.resolve(me, twice)).rejects.toMatchObject({ code: 'image.ambiguous' })
  await expect(engineImages.resolve(me, 'sha256:')).rejects.toMatchObject({ code: 'image.not-found' })
  await expect(engineImages.resolve(me, '')).rejects.toMatchObject({ code: 'image.not-found' })
  expect(await engineImages.resolve(me, digits(one))).toMatchObject({ image: 'app:1' })
})

test('our own registry is pushed to and pulled from by giving names', async () => {
  await using cloud = await aCloud()
  const { engineImages } = cloud.world.control
  await cloud.pull(me)
  const full = `${ownRegistry}/p1/team/web`
  await engineImages.tag(me, 'app:1', { repo: full, tag: '2' })
  const said = await text(await engineImages.push(me, `${full}:2`, null, soon()))
  expect(said).toContain('Layer already exists')
  expect(said).toContain(`2: digest: ${one.digest} size: ${one.manifest.content.length}`)
  expect(await cloud.names()).toEqual([`${full}:2`, 'app:1', 'team/web:2'])
  const pull = async (caller: typeof me, repo: string) =>
    text(await engineImages.pull(caller, { repo, tag: '2', login: null }, soon()))
  expect(await pull(me, full)).toContain('Image is up to date')
  await expect(pull(they, full)).rejects.toMatchObject({ code: 'registry.refused' })
  await engineImages.tag(me, 'app:1', { repo: `${ownRegistry}/p2/web`, tag: '2' })
  expect(await text(await engineImages.push(me, `${ownRegistry}/p2/web:2`, null, soon()))).toContain(
    'denied: requested access to the resource is denied',
  )
  expect(await cloud.names(they)).toEqual([])
})

test('an image is described as its configuration says', async () => {
  await using cloud = await aCloud()
  const { engineImages } = cloud.world.control
  await cloud.pull(me)
  const { found } = await engineImages.inspect(me, 'app:1')
  expect(found).toMatchObject({
    Id: idOf(one),
    RepoTags: ['app:1'],
    RepoDigests: [`app@${one.digest}`],
    Architecture: 'amd64',
    Os: 'linux',
    Config: { Cmd: null, Env: null, Labels: null },
  })
  expect(found['RootFS']).toMatchObject({ Layers: [expect.stringMatching(/^sha256:/), expect.any(String)] })
})

test('what is saved is loaded by another project, with its names and its id', async () => {
  await using cloud = await aCloud()
  const { engineImages } = cloud.world.control
  const real = makeImage([String(Buffer.concat([wholeFile('file', Buffer.from('content')), tarEnd]))])
  cloud.registry.set('library/app:1', real)
  await cloud.pull(me)
  await engineImages.tag(me, 'app:1', { repo: 'app', tag: '2' })
  const saved = async () => buffer(await engineImages.save(me, ['app'], soon()))
  expect((await saved()).equals(await saved())).toBe(true)
  const load = async (content: Buffer) => engineImages.load(they, Readable.from([content]), { quiet: true }, soon())
  expect(await text(await load(await saved()))).toContain('Loaded image: app:2')
  expect(await cloud.names(they)).toEqual(['app:1', 'app:2'])
  expect(await engineImages.resolve(they, 'app:2')).toMatchObject({ imageId: idOf(real) })
  expect(await engineImages.history(they, 'app:1')).toEqual([])
  await expect(load(Buffer.from('no tar'))).rejects.toMatchObject({ code: 'request.invalid' })
})

test('what was pushed is as large as its files once a host has unpacked it', async () => {
  await using cloud = await aCloud()
  const { control, host, reconciler } = cloud.world
  const { configDigest } = one
  await push(control.registry.repository(me, `${me.projectId}/app`), '1', one)
  const sizes = async () => (await control.engineImages.list(me)).map(({ size }) => size)
  const before = await sizes()
  cloud.engine.set(configDigest, one)
  const { id, wish } = await control.containers.create(me, { name: 'c1', spec: defaultSpec('app:1'), run: true })
  await host.idle()
  const step = { id, version: wish.version, step: 'pull', startedAt: 1, finishedAt: 2, error: null }
  await reconciler.reports.step(simHostId, step)
  await expect.poll(sizes).toEqual([100])
  expect(before).not.toEqual([100])
})

test('a build stands on no image that the project may not run', async () => {
  const plan = async () => ({ reply: { contextId: 'c', images: ['app:1'] }, output: null })
  await using cloud = await anImageCloud(() => ({ imageBuildPlan: plan }))
  cloud.registry.set('library/app:1', one)
  await cloud.pull()
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const key = publicKey.export({ type: 'spki', format: 'pem' })
  await cloud.world.store.imagePolicies.setKeys(me.projectId, [key])
  const request: BuildRequest = {
    dockerfile: 'Dockerfile',
    names: [],
    target: '',
    buildArgs: {},
    labels: {},
    extraHosts: [],
    noCache: false,
    quiet: false,
    pull: false,
    cpu: null,
    memory: null,
    shmSize: 0,
    network: null,
    logins: [],
  }
  const said = await cloud.world.control.engineImages.build(me, Readable.from([]), request, soon())
  expect(await text(said)).toContain('Image app:1 may not run in your project')
})
