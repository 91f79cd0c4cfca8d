import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import type { Upstream } from '@gantry/control'
import { sealPass } from '@gantry/control/testing'
import { Fault } from '@gantry/kernel'
import type { HostId, ImageSource } from '@gantry/model'
import { expect, test } from 'vitest'
import { digestOf, makeImage, makeIndex, type MadeImage } from './testing/a-catalogue.ts'
import { ann, type ARegistry, aRegistry, bob, faultOf, hostId, pull, push, soon } from './testing/a-registry.ts'

const app = makeImage(['base', 'app'])
const busybox = makeImage(['busybox'])
const page = { after: null, limit: 10 }

function at(world: ARegistry, { repository, pass }: ImageSource, host: HostId = hostId) {
  return world.registry.forHost(host, pass, repository)
}

/** Another registry, in which `busybox:latest` is what `content` says at the moment. */
function aHub() {
  const asked: string[] = []
  const hub = {
    image: busybox,
    isDown: false,
    wantsLogin: false,
    children: [] as MadeImage[],
    index: null as null | ReturnType<typeof makeIndex>,
  }
  const all = () => [hub.image, ...hub.children]
  const upstream: Partial<Upstream> = {
    async manifest({ path }, reference, login) {
      asked.push(`manifest ${path}:${reference.slice(0, 12)}`)
      if (hub.isDown) throw new Fault('registry.unreachable', { reason: 'The registry is down.' })
      if (hub.wantsLogin && login?.password !== 'secret') throw new Fault('registry.login', { reason: 'Log in first.' })
      await new Promise((resume) => setTimeout(resume, 20))
      const { digest, manifest } =
        (reference === 'latest' && hub.index) || (all().find((each) => each.digest === reference) ?? hub.image)
      return { digest, ...manifest }
    },
    async blob(_repository, digest) {
      asked.push(`blob ${digest}`)
      const content = all()
        .flatMap(({ config, layers }) => [config, ...layers])
        .find((each) => digestOf(each) === digest)
      if (content === undefined) throw new Fault('registry.refused', { reason: 'blob unknown' })
      return { size: content.length, body: Readable.from([Buffer.from(content)]) }
    },
  }
  return { hub, upstream, asked }
}

test('a pass to read is good for one image, for one host, and for nothing else', async () => {
  await using world = await aRegistry()
  const other = makeImage(['base', 'other'])
  await push(world.registry.repository(ann, 'ann/app'), 'v1', app)
  await push(world.registry.repository(ann, 'ann/other'), 'v1', other)
  const source = world.catalogue.readSource(hostId, { digest: app.digest, configDigest: app.configDigest })
  await pull(at(world, source), source.reference, app)
  const repository = at(world, source)
  expect(await faultOf(repository.manifest(other.digest, soon()))).toBe('manifest.unknown')
  expect(await faultOf(repository.manifest('v1', soon()))).toBe('manifest.unknown')
  expect(await faultOf(repository.blob(digestOf('other')))).toBe('blob.unknown')
  expect(await faultOf(repository.openBlob(digestOf(other.config), null, soon()))).toBe('blob.unknown')
  expect(await faultOf(repository.tags(page))).toBe('repository.unknown')
  expect(await repository.referrers(app.digest, null)).toEqual([])
  for (const change of [
    () => repository.beginUpload(),
    () => repository.mount(digestOf('base')),
    () => repository.putManifest('v1', app.manifest),
    () => repository.deleteManifest(app.digest),
    () => repository.deleteBlob(digestOf('app')),
  ]) {
    expect(await faultOf(change())).toBe('repository.unknown')
  }
  // It is for as long as there is this image.
  world.clock.at += 365 * 24 * 60 * 60_000
  await pull(at(world, source), source.reference, app)
})

test('what is no pass of this host’s is refused', async () => {
  await using world = await aRegistry()
  await push(world.registry.repository(ann, 'ann/app'), 'v1', app)
  const source = world.catalogue.readSource(hostId, { digest: app.digest, configDigest: app.configDigest })
  expect(() => at(world, source, 'h2' as HostId)).toThrow(/pass of this host/)
  const forged = sealPass(
    { seal: (text) => Buffer.from(text).toString('base64'), open: (text) => text },
    {
      kind: 'read',
      hostId,
      digest: app.digest,
    },
  )
  const password = world.secrets.seal(JSON.stringify({ username: 'u', password: 'p', hostId }))
  for (const pass of ['', 'x', forged, password, world.secrets.seal('null'), source.pass.slice(0, -2)]) {
    expect(() => world.registry.forHost(hostId, pass, source.repository)).toThrow(/pass of this host/)
  }
})

test('a host pushes for a project without a name, sees nothing of others, takes nothing away, and in time', async () => {
  await using world = await aRegistry()
  await push(world.registry.repository(bob, 'bob/app'), 'v1', makeImage(['bobs']))
  await push(world.registry.repository(ann, 'ann/app'), 'v1', app)
  const source = world.catalogue.writeSource(hostId, { ...ann, roles: ['reader'] })
  const repository = at(world, source)
  const image = makeImage(['base', 'committed'])
  expect(await repository.mount(digestOf('base'))).toBe(true)
  expect(await repository.mount(digestOf('bobs'))).toBe(false)
  expect(await faultOf(repository.blob(digestOf('bobs')))).toBe('blob.unknown')
  expect(await push(repository, source.reference, image)).toBe(image.digest)
  expect(await world.store.images.list(ann.projectId, { owners: 'own', repo: '' })).toEqual([])
  expect(await world.catalogue.nameImage(ann, { repo: 'made', tag: 'v1' }, image.digest)).toMatchObject({
    imageId: image.configDigest,
  })
  await pull(world.registry.repository(ann, 'ann/made'), 'v1', image)
  expect(await faultOf(repository.deleteManifest(image.digest))).toBe('repository.unknown')
  expect(await faultOf(repository.deleteBlob(digestOf('base')))).toBe('repository.unknown')
  expect(await faultOf(repository.tags(page))).toBe('repository.unknown')
  world.clock.at += 2 * 60 * 60_000
  expect(() => at(world, source)).toThrow(/time to push/)
})

test('an image of another registry comes through us, becomes the project’s, and is read by its pass', async () => {
  const { upstream, asked } = aHub()
  await using world = await aRegistry({ upstream })
  const source = world.catalogue.upstreamSource(hostId, ann.projectId, { repo: 'busybox', tag: 'latest' }, null)
  await pull(at(world, source), 'latest', busybox)
  const [image, ...others] = await world.store.images.list(ann.projectId)
  expect(others).toEqual([])
  expect(image).toMatchObject({ repo: 'busybox', tag: 'latest', digest: busybox.digest, kind: 'image' })
  expect(image?.glance.properties).toEqual({ pulled_from: 'busybox:latest' })
  expect(await world.store.images.list(bob.projectId)).toEqual([])
  // What else the project has is not to be read with it.
  await push(world.registry.repository(ann, 'ann/app'), 'v1', app)
  expect(await faultOf(at(world, source).manifest(app.digest, soon()))).toBe('manifest.unknown')
  expect(await faultOf(at(world, source).blob(digestOf('app')))).toBe('blob.unknown')
  expect(await faultOf(at(world, source).manifest('v1', soon()))).toBe('manifest.unknown')
  expect(await faultOf(at(world, source).beginUpload())).toBe('repository.unknown')
  expect(await faultOf(at(world, source).tags(page))).toBe('repository.unknown')
  expect(asked.filter((each) => each.startsWith('manifest'))).toEqual(['manifest library/busybox:latest'])
})

test('many hosts that ask at once fetch it once; later the other registry is asked again', async () => {
  const { upstream, asked, hub } = aHub()
  await using world = await aRegistry({ upstream })
  const source = world.catalogue.upstreamSource(hostId, ann.projectId, { repo: 'busybox', tag: 'latest' }, null)
  await Promise.all(Array.from({ length: 50 }, async () => pull(at(world, source), 'latest', busybox)))
  expect(asked).toHaveLength(3)
  await pull(at(world, source), 'latest', busybox)
  expect(asked).toHaveLength(4)
  hub.image = makeImage(['busybox', 'newer'])
  await pull(at(world, source), 'latest', hub.image)
  expect(asked.filter((each) => each === `blob ${digestOf('busybox')}`)).toHaveLength(1)
  // Whoever still has the old one's digest can read it.
  await pull(at(world, source), busybox.digest, busybox)
})

test('one reader who goes away does not end it for the others', async () => {
  const { upstream } = aHub()
  await using world = await aRegistry({ upstream })
  const source = world.catalogue.upstreamSource(hostId, ann.projectId, { repo: 'busybox', tag: 'latest' }, null)
  const leaving = new AbortController()
  const gone = at(world, source).manifest('latest', leaving.signal)
  const other = pull(at(world, source), 'latest', busybox)
  leaving.abort(new Error('gone'))
  await expect(gone).rejects.toThrow('gone')
  await other
})

test('while the other registry cannot be reached, what is here counts', async () => {
  const { upstream, hub } = aHub()
  await using world = await aRegistry({ upstream })
  const source = world.catalogue.upstreamSource(hostId, ann.projectId, { repo: 'busybox', tag: 'latest' }, null)
  hub.isDown = true
  expect(await faultOf(at(world, source).manifest('latest', soon()))).toBe('registry.unreachable')
  hub.isDown = false
  await pull(at(world, source), 'latest', busybox)
  hub.isDown = true
  await pull(at(world, source), 'latest', busybox)
})

test('a login reaches the other registry, and no host', async () => {
  const { upstream, hub } = aHub()
  await using world = await aRegistry({ upstream })
  hub.wantsLogin = true
  const name = { repo: 'registry.example.com/team/busybox', tag: 'latest' }
  const plain = world.catalogue.upstreamSource(hostId, ann.projectId, name, null)
  expect(await faultOf(at(world, plain).manifest('latest', soon()))).toBe('registry.login')
  const sealed = world.secrets.seal(
    JSON.stringify({ domain: 'registry.example.com', username: 'u', password: 'secret' }),
  )
  const source = world.catalogue.upstreamSource(hostId, ann.projectId, name, sealed)
  await pull(at(world, source), 'latest', busybox)
  expect(source.pass).not.toContain('secret')
})

test('an image is fetched by its digest, and an index for hosts of every kind', async () => {
  const { upstream, hub } = aHub()
  const [amd, arm] = [makeImage(['amd']), makeImage(['arm'], 'arm64')]
  hub.children = [amd, arm]
  const here = process.arch === 'arm64' ? arm : amd
  const there = process.arch === 'arm64' ? amd : arm
  hub.index = makeIndex({ 'linux/amd64': amd, 'linux/arm64': arm })
  await using world = await aRegistry({ upstream })
  const source = world.catalogue.upstreamSource(hostId, ann.projectId, { repo: 'busybox', tag: 'latest' }, null)
  expect(await faultOf(at(world, source).manifest(here.digest, soon()))).toBe('manifest.unknown')
  expect((await at(world, source).manifest('latest', soon())).digest).toBe(hub.index.digest)
  await pull(at(world, source), here.digest, here)
  await pull(at(world, source), there.digest, there)
  expect(await faultOf(at(world, source).manifest(busybox.digest, soon()))).toBe('manifest.unknown')

  const byDigest = world.catalogue.upstreamSource(hostId, bob.projectId, { repo: 'busybox', tag: busybox.digest }, null)
  await pull(at(world, byDigest), busybox.digest, busybox)
  expect(await world.store.images.list(bob.projectId)).toMatchObject([{ repo: '', digest: busybox.digest }])
  expect(await faultOf(at(world, byDigest).manifest('latest', soon()))).toBe('manifest.unknown')
})

test('content that is lost is not there, and comes back when it is pushed again', async () => {
  await using world = await aRegistry()
  const repository = world.registry.repository(ann, 'ann/app')
  await push(repository, 'v1', app)
  const asked = await world.registry.verify({ ...ann, isAdmin: true }, soon())
  expect(asked).toEqual({ checked: 3, corrupt: [] })
  expect(await faultOf(world.registry.verify(ann, soon()))).toBe('policy.forbidden')
  await world.blobs.remove(digestOf('app'))
  expect(await faultOf(repository.blob(digestOf('app')))).toBe('blob.unknown')
  await push(repository, 'v1', app)
  const { body } = await repository.openBlob(digestOf('app'), null, soon())
  expect((await buffer(body)).toString()).toBe('app')
})
