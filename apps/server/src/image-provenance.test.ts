import { defaultSpec } from '@gantry/model'
import { expect, test } from 'vitest'
import { bytesOf, digestOf, layerType, makeImage, makeIndex, ociManifest } from './testing/a-catalogue.ts'
import { ann, type ARegistry, aRegistry, bob, push, pushBlob } from './testing/a-registry.ts'
import { aWorld } from './testing/a-world.ts'

async function provenance(world: ARegistry, tag: string) {
  const image = await world.catalogue.find(ann, { repo: 'app', tag })
  if (!image) throw new Error('no image')
  return world.registry.provenance(ann, image)
}

/** An image whose configuration says this. */
async function pushWith(world: ARegistry, config: object, layers: readonly string[], tag: string): Promise<void> {
  const repository = world.registry.repository(ann, 'ann/app')
  const descriptor = async (mediaType: string, content: string) => ({
    mediaType,
    digest: await pushBlob(repository, bytesOf(content)),
    size: content.length,
  })
  const parts = []
  for (const layer of layers) parts.push(await descriptor(layerType, layer))
  const image = {
    schemaVersion: 2,
    config: await descriptor('application/vnd.oci.image.config.v1+json', JSON.stringify(config)),
    layers: parts,
  }
  await repository.putManifest(tag, { mediaType: ociManifest, content: bytesOf(JSON.stringify(image)) })
}

test('an image tells its layers with the steps that made them, who pushed it, and no signatures', async () => {
  await using world = await aRegistry()
  const history = [
    { created_by: 'ADD rootfs' },
    { created_by: 'CMD ["sh"]', empty_layer: true },
    { created_by: 'RUN make' },
  ]
  await pushWith(world, { os: 'linux', architecture: 'arm', variant: 'v7', history }, ['one', 'three'], 'v1')
  expect(await provenance(world, 'v1')).toMatchObject({
    mediaType: ociManifest,
    platforms: ['linux/arm/v7'],
    layers: [
      { digest: digestOf('one'), bytes: 3, createdBy: 'ADD rootfs' },
      { digest: digestOf('three'), bytes: 5, createdBy: 'RUN make' },
    ],
    pushedBy: ann.userId,
    usedBy: [],
    signatures: [],
  })
})

test('a configuration of any other form tells nothing, and breaks nothing', async () => {
  await using world = await aRegistry()
  for (const [index, history] of ['text', 7, null, {}, [null, 7], [{ created_by: 7 }]].entries()) {
    await pushWith(world, { os: 7, architecture: null, history, index }, ['one'], `v${index}`)
    const told = await provenance(world, `v${index}`)
    expect(told.platforms).toEqual([])
    expect(told.layers).toEqual([{ digest: digestOf('one'), bytes: 3, createdBy: '' }])
  }
})

test('an index tells its platforms, and the layers of the image that runs here', async () => {
  await using world = await aRegistry()
  const repository = world.registry.repository(ann, 'ann/app')
  const children = { 'linux/amd64': makeImage(['amd']), 'linux/arm64': makeImage(['arm'], 'arm64') }
  for (const child of Object.values(children)) await push(repository, child.digest, child)
  await repository.putManifest('multi', makeIndex(children).manifest)
  const told = await provenance(world, 'multi')
  expect(told.platforms).toEqual(['linux/amd64', 'linux/arm64'])
  expect(told.layers.map(({ digest }) => digest)).toEqual([digestOf(process.arch === 'arm64' ? 'arm' : 'amd')])
})

test('an image tells which containers of the project run it, and of no other', async () => {
  await using world = await aWorld()
  const { containers, registry } = world.control
  const app = makeImage(['app'])
  await push(registry.repository(ann, `${ann.projectId}/app`), 'v1', app)
  const [image] = await world.store.images.list(ann.projectId)
  if (!image) throw new Error('no image')
  await world.store.images.update(image.id, { visibility: 'public' })
  const run = (caller: typeof ann, name: string) =>
    containers.create(caller, {
      name,
      spec: defaultSpec(caller === ann ? 'app:v1' : `${ann.projectId}/app:v1`),
      run: false,
    })
  await run(ann, 'web')
  await run(bob, 'other')
  expect((await registry.provenance(ann, image)).usedBy).toEqual(['web'])
  expect((await registry.provenance(bob, image)).usedBy).toEqual(['other'])
})
