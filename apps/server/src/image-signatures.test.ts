import { execFileSync } from 'node:child_process'
import { createHash, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { requireSigned, signed, signedBundle, simpleLayer, simplePayload } from '@gantry/control/testing'
import { defaultSpec, type Image } from '@gantry/model'
import { expect, test } from 'vitest'
import { bytesOf, makeImage, makeIndex, ociManifest } from './testing/a-catalogue.ts'
import { ann, type ARegistry, aRegistry, bob, faultOf, push, pushBlob, reader } from './testing/a-registry.ts'
import { aWorld } from './testing/a-world.ts'

const app = makeImage(['base', 'app'])
const ours = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const pem = ({ publicKey }: { publicKey: KeyObject }) => publicKey.export({ type: 'spki', format: 'pem' })

/** A world in which `ann/app:v1` is pushed, and only what is signed by one of `keys` may run. */
async function policed(keys: readonly string[] = [pem(ours)]) {
  const world = await aRegistry()
  await push(world.registry.repository(ann, 'ann/app'), 'v1', app)
  await world.store.imagePolicies.setKeys(ann.projectId, keys)
  return world
}

async function imageOf(world: ARegistry, tag = 'v1'): Promise<Image> {
  const image = await world.catalogue.find(ann, { repo: 'app', tag })
  if (!image) throw new Error('no image')
  return image
}

async function verdict(world: ARegistry, tag = 'v1', caller = ann): Promise<string> {
  return faultOf(requireSigned(world, caller, await imageOf(world, tag), `app:${tag}`))
}

/** As `cosign sign --key` does it: a manifest under a tag that is made of the digest. `layers`: the signatures in it. */
async function attach(
  world: ARegistry,
  digest: string,
  layers: readonly { readonly payload: Buffer; readonly signature: Buffer }[],
): Promise<void> {
  const repository = world.registry.repository(ann, 'ann/app')
  for (const { payload } of layers) await pushBlob(repository, payload)
  await pushManifest(world, `${digest.replace(':', '-')}.sig`, {
    config: await blobOf(world, 'application/vnd.oci.image.config.v1+json', bytesOf('{"architecture":"","os":""}')),
    layers: layers.map(({ payload, signature }) => simpleLayer(payload, signature)),
  })
}

/** As newer ones do: a referrer with a bundle. */
async function refer(world: ARegistry, digest: string, bundle: Buffer): Promise<void> {
  const bundleType = 'application/vnd.dev.sigstore.bundle.v0.3+json'
  await pushManifest(world, null, {
    artifactType: bundleType,
    config: await blobOf(world, 'application/vnd.oci.empty.v1+json', bytesOf('{}')),
    layers: [await blobOf(world, bundleType, bundle)],
    subject: { mediaType: ociManifest, digest, size: app.manifest.content.length },
  })
}

async function blobOf(world: ARegistry, mediaType: string, content: Buffer) {
  const digest = await pushBlob(world.registry.repository(ann, 'ann/app'), content)
  return { mediaType, digest, size: content.length }
}

async function pushManifest(world: ARegistry, tag: string | null, fields: object): Promise<void> {
  const content = bytesOf(JSON.stringify({ schemaVersion: 2, mediaType: ociManifest, ...fields }))
  const reference = tag ?? `sha256:${createHash('sha256').update(content).digest('hex')}`
  await world.registry.repository(ann, 'ann/app').putManifest(reference, { mediaType: ociManifest, content })
}

const byOurs = (digest: string) => {
  const payload = simplePayload(digest)
  return { payload, signature: signed(payload, ours.privateKey) }
}

test('without a policy everything may run, and with one nothing that is not signed', async () => {
  await using world = await policed()
  expect(await verdict(world)).toBe('image.unsigned')
  expect(await faultOf(requireSigned(world, ann, null, 'busybox'))).toBe('image.unsigned')
  await world.store.imagePolicies.setKeys(ann.projectId, [])
  expect(await verdict(world)).toBe('none')
  expect(await faultOf(requireSigned(world, ann, null, 'busybox'))).toBe('none')
})

test('a signature of the older form counts, beside others that do not', async () => {
  await using world = await policed()
  const payload = simplePayload(app.digest)
  const foreign = { payload, signature: signed(payload, stranger.privateKey) }
  await attach(world, app.digest, [foreign])
  expect(await verdict(world)).toBe('image.unsigned')
  // Two of one payload: only what is beside it tells them apart.
  await attach(world, app.digest, [foreign, byOurs(app.digest)])
  expect(await verdict(world)).toBe('none')
  const { signatures } = await world.registry.provenance(ann, await imageOf(world))
  expect(signatures.map(({ verified }) => verified)).toEqual([false, true])
})

test('a signature for another digest, of a changed payload, or none at all does not count', async () => {
  await using world = await policed()
  const right = byOurs(app.digest)
  const wrong = [
    byOurs(`sha256:${'a'.repeat(64)}`),
    { ...right, payload: Buffer.from(`${right.payload.toString()}\n`) },
    { ...right, payload: simplePayload(app.digest, '127.0.0.1:9700/demo/evil') },
    { ...right, signature: Buffer.alloc(0) },
    { ...right, payload: bytesOf('{}') },
  ]
  for (const each of wrong) {
    await attach(world, app.digest, [each])
    expect(await verdict(world)).toBe('image.unsigned')
  }
  await attach(world, app.digest, [right])
  expect(await verdict(world)).toBe('none')
})

test('a bundle among the referrers counts if it is by the key and about the image', async () => {
  await using world = await policed()
  await refer(world, app.digest, signedBundle(app.digest, stranger.privateKey))
  await refer(world, app.digest, signedBundle(`sha256:${'a'.repeat(64)}`, ours.privateKey))
  await refer(world, app.digest, signedBundle(app.digest, ours.privateKey, 'https://spdx.dev/Document'))
  await refer(world, app.digest, bytesOf('no bundle'))
  expect(await verdict(world)).toBe('image.unsigned')
  await refer(world, app.digest, signedBundle(app.digest, ours.privateKey))
  expect(await verdict(world)).toBe('none')
})

test('one signature is enough for any key of the policy; each project has its own', async () => {
  await using world = await policed([pem(stranger), pem(ours), 'no key'])
  await attach(world, app.digest, [byOurs(app.digest)])
  expect(await verdict(world)).toBe('none')
  await world.store.imagePolicies.setKeys(bob.projectId, [pem(stranger)])
  expect(await verdict(world, 'v1', bob)).toBe('image.unsigned')
  await world.store.imagePolicies.setKeys(ann.projectId, ['no key'])
  expect(await verdict(world)).toBe('image.unsigned')
})

test('a signed index lets its images run, and a signed tag does not sign what comes after it', async () => {
  await using world = await policed()
  const repository = world.registry.repository(ann, 'ann/app')
  const index = makeIndex({ 'linux/amd64': app })
  await repository.putManifest('multi', index.manifest)
  expect(await verdict(world, 'multi')).toBe('image.unsigned')
  await attach(world, index.digest, [byOurs(index.digest)])
  expect(await verdict(world, 'multi')).toBe('none')
  await push(repository, 'multi', makeImage(['base', 'changed']))
  expect(await verdict(world, 'multi')).toBe('image.unsigned')
})

test('a signature in another repository, or that is lost, does not count', async () => {
  await using world = await policed()
  const { payload, signature } = byOurs(app.digest)
  await attach(world, app.digest, [{ payload, signature }])
  await push(world.registry.repository(ann, 'ann/other'), 'v1', app)
  const other = await world.catalogue.find(ann, { repo: 'other', tag: 'v1' })
  expect(await faultOf(requireSigned(world, ann, other, 'other'))).toBe('image.unsigned')
  const [blob] = [simpleLayer(payload, signature).digest]
  await world.blobs.remove(blob as Image['digest'] & string)
  expect(await verdict(world)).toBe('image.unsigned')
})

test('what openssl signs and what it gives as keys is understood', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gantry-cosign-'))
  try {
    const run = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
    run('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', 'cosign.key')
    const key = run('ec', '-in', 'cosign.key', '-pubout').toString()
    expect(createPublicKey(key).asymmetricKeyType).toBe('ec')
    const payload = simplePayload(app.digest)
    writeFileSync(join(folder, 'payload'), payload)
    const signature = run('dgst', '-sha256', '-sign', 'cosign.key', 'payload')
    await using world = await policed([key])
    await attach(world, app.digest, [{ payload, signature }])
    expect(await verdict(world)).toBe('none')
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('a policy takes public keys of its project’s members, and nothing else', async () => {
  await using world = await aWorld()
  const verbs = world.control.images
  expect(await verbs.signaturePolicy(ann)).toEqual({ keys: [] })
  const keys = [pem(ours), `${pem(stranger)}\n`, pem(ours)]
  expect(await verbs.setSignaturePolicy(ann, { keys })).toEqual({ keys: [pem(ours), pem(stranger)] })
  expect(await verbs.signaturePolicy(reader)).toEqual({ keys: [pem(ours), pem(stranger)] })
  expect(await verbs.signaturePolicy(bob)).toEqual({ keys: [] })
  expect(await faultOf(verbs.setSignaturePolicy(reader, { keys: [] }))).toBe('policy.forbidden')
  const secret = ours.privateKey.export({ type: 'pkcs8', format: 'pem' })
  for (const bad of ['', 'x', secret, 'x'.repeat(5000)]) {
    expect(await faultOf(verbs.setSignaturePolicy(ann, { keys: [pem(ours), bad] }))).toBe('request.invalid')
  }
  const many = Array.from({ length: 21 }, () => pem(ours))
  expect(await faultOf(verbs.setSignaturePolicy(ann, { keys: many }))).toBe('request.invalid')
  expect(await verbs.setSignaturePolicy(ann, { keys: [] })).toEqual({ keys: [] })
})

test('under a policy a container is made of a signed image only', async () => {
  await using world = await aWorld()
  const { containers, registry } = world.control
  const repository = registry.repository(ann, `${ann.projectId}/app`)
  await push(repository, 'v1', app)
  await world.control.images.setSignaturePolicy(ann, { keys: [pem(ours)] })
  const run = (image: string) => containers.create(ann, { name: null, spec: defaultSpec(image), run: true })
  expect(await faultOf(run('app:v1'))).toBe('image.unsigned')
  expect(await faultOf(run('busybox'))).toBe('image.unsigned')
  const { payload, signature } = byOurs(app.digest)
  await pushBlob(repository, payload)
  const config = bytesOf('{}')
  const content = bytesOf(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: ociManifest,
      config: { mediaType: 'application/vnd.oci.empty.v1+json', digest: await pushBlob(repository, config), size: 2 },
      layers: [simpleLayer(payload, signature)],
    }),
  )
  await repository.putManifest(`${app.digest.replace(':', '-')}.sig`, { mediaType: ociManifest, content })
  await run('app:v1')
})
