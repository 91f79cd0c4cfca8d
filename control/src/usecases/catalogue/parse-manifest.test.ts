import { Fault } from '@gantry/kernel'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { manifestChecks, mediaTypes } from './manifest-schemas.ts'
import { parseManifest } from './parse-manifest.ts'

const checks = manifestChecks()
const parse = (json: unknown, mediaType = '') => {
  const content = Buffer.from(typeof json === 'string' ? json : JSON.stringify(json))
  return parseManifest(checks, { mediaType, content })
}
const digest = (digit: string) => `sha256:${digit.repeat(64)}`
const part = (mediaType: string, digit = 'a', rest = {}) => ({ mediaType, digest: digest(digit), size: 3, ...rest })
const ociLayer = 'application/vnd.oci.image.layer.v1.tar+gzip'
const image = {
  schemaVersion: 2,
  mediaType: mediaTypes.ociManifest,
  config: part(mediaTypes.ociConfig, 'c'),
  layers: [part(ociLayer, '1'), part(ociLayer, '2')],
}

test('an image is its configuration and its layers, in order', () => {
  const parsed = parse(image)
  expect(parsed).toMatchObject({ kind: 'manifest', configDigest: digest('c'), artifactType: null, subject: null })
  expect(parsed.parts.map((each) => each.digest)).toEqual([digest('c'), digest('1'), digest('2')])
  const docker = { ...image, mediaType: mediaTypes.dockerManifest, config: part(mediaTypes.dockerConfig, 'c') }
  expect(parse(docker, mediaTypes.dockerManifest).configDigest).toBe(digest('c'))
})

test('what has other layers, another configuration or a type of its own is no image', () => {
  const signature = { ...image, layers: [part('application/vnd.dev.cosign.simplesigning.v1+json')] }
  expect(parse(signature)).toMatchObject({ configDigest: null, artifactType: mediaTypes.ociConfig })
  const chart = { ...image, config: part('application/vnd.cncf.helm.config.v1+json') }
  expect(parse(chart)).toMatchObject({ configDigest: null, artifactType: 'application/vnd.cncf.helm.config.v1+json' })
  const about = { ...image, artifactType: 'a/b', subject: part(mediaTypes.ociManifest, 'e') }
  expect(parse(about)).toMatchObject({ configDigest: null, artifactType: 'a/b', subject: digest('e') })
})

test('layers that nobody may hand on need not be here', () => {
  const foreign = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip'
  const parsed = parse({ ...image, layers: [part(foreign, '1', { urls: ['http://x'] }), part(ociLayer, '2')] })
  expect([...parsed.optional]).toEqual([digest('1')])
})

test('an index says for which platform each image is', () => {
  const manifests = [
    part(mediaTypes.ociManifest, '1', { platform: { os: 'linux', architecture: 'arm', variant: 'v7' } }),
    part(mediaTypes.ociManifest, '2'),
  ]
  const parsed = parse({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests })
  expect(parsed).toMatchObject({ kind: 'index', configDigest: null })
  expect(parsed.parts.map(({ kind, platform }) => [kind, platform])).toEqual([
    ['manifest', 'linux/arm/v7'],
    ['manifest', null],
  ])
})

test.each([
  ['what is no JSON', '{', ''],
  ['what is no object', [], ''],
  ['what is no UTF-8', '', ''],
  ['no media type', { ...image, mediaType: undefined }, ''],
  ['an unknown media type', { ...image, mediaType: 'text/plain' }, ''],
  ['another media type than was sent', image, mediaTypes.dockerManifest],
  ['no configuration', { ...image, config: undefined }, ''],
  ['a digest that is none', { ...image, layers: [{ ...part(ociLayer), digest: 'md5:1' }] }, ''],
  ['a negative size', { ...image, layers: [{ ...part(ociLayer), size: -1 }] }, ''],
  ['an image that is an index too', { ...image, manifests: [] }, ''],
  ['an index that is an image too', { ...image, mediaType: mediaTypes.ociIndex, manifests: [] }, ''],
  ['too many layers', { ...image, layers: Array.from({ length: 2001 }, () => part(ociLayer)) }, ''],
])('%s is refused', (_what, json, mediaType) => {
  expect(() => parse(json, mediaType)).toThrow(expect.objectContaining({ code: 'manifest.invalid' }))
})

test('schema 1 is refused with what to do', () => {
  const old = { schemaVersion: 1, name: 'a/b', tag: 'c' }
  expect(() => parse(old, 'application/vnd.docker.distribution.manifest.v1+prettyjws')).toThrow(/newer client/)
  expect(() => parse(old)).toThrow(/newer client/)
})

test('whatever is sent, it is a manifest or refused', () => {
  const value = fc.oneof(fc.json(), fc.constantFrom(image, image.config, image.layers, 2, null))
  const changed = fc
    .tuple(fc.constantFrom(...Object.keys(image), 'manifests', 'subject', 'artifactType'), value)
    .map(([field, other]) => ({ ...image, [field]: other }))
  fc.assert(
    fc.property(
      fc.oneof(changed, fc.object(), fc.string()),
      fc.constantFrom('', ...Object.values(mediaTypes)),
      (json, type) => {
        try {
          parse(json, type)
        } catch (error) {
          expect(error).toBeInstanceOf(Fault)
          expect(error).toMatchObject({ code: 'manifest.invalid' })
        }
      },
    ),
  )
})
