import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto'
import type { Digest } from '@gantry/model'
import { expect, test } from 'vitest'
import { messageBundle, signed, signedBundle, simplePayload } from '../../testing/cosign-maker.ts'
import { isBundleSigned, isSimplySigned, keyOf, keyProblem } from './cosign.ts'

const digest = `sha256:${'a'.repeat(64)}` as Digest
const another = `sha256:${'b'.repeat(64)}` as Digest
const pairs = {
  ec: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  p384: generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ed25519: generateKeyPairSync('ed25519'),
}
const pem = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' })

test.each(Object.entries(pairs))('a signature by a %s key holds for its image and its payload alone', (kind, pair) => {
  const { publicKey, privateKey } = pair
  const stranger = kind === 'ec' ? pairs.p384.publicKey : pairs.ec.publicKey
  const payload = simplePayload(digest)
  const signature = signed(payload, privateKey)
  expect(isSimplySigned(payload, signature, digest, publicKey)).toBe(true)
  expect(isSimplySigned(payload, signature, another, publicKey)).toBe(false)
  expect(isSimplySigned(payload, signature, digest, stranger)).toBe(false)
  expect(isSimplySigned(simplePayload(another), signature, another, publicKey)).toBe(false)
  expect(isSimplySigned(Buffer.from(`${payload.toString()} `), signature, digest, publicKey)).toBe(false)
  expect(isSimplySigned(payload, Buffer.alloc(0), digest, publicKey)).toBe(false)
})

test.each(Object.entries(pairs))('a bundle signed by a %s key holds for its image alone', (kind, pair) => {
  const { publicKey, privateKey } = pair
  const stranger = kind === 'ec' ? pairs.p384.publicKey : pairs.ec.publicKey
  const bundle = signedBundle(digest, privateKey)
  expect(isBundleSigned(bundle, digest, publicKey)).toBe(true)
  expect(isBundleSigned(bundle, another, publicKey)).toBe(false)
  expect(isBundleSigned(bundle, digest, stranger)).toBe(false)
  const sbom = signedBundle(digest, privateKey, 'https://spdx.dev/Document')
  expect(isBundleSigned(sbom, digest, publicKey)).toBe(false)
  const changed = JSON.parse(bundle.toString()) as { dsseEnvelope: { payload: string } }
  const statement = Buffer.from(changed.dsseEnvelope.payload, 'base64')
    .toString()
    .replaceAll('a'.repeat(64), 'b'.repeat(64))
  changed.dsseEnvelope.payload = Buffer.from(statement).toString('base64')
  expect(isBundleSigned(Buffer.from(JSON.stringify(changed)), another, publicKey)).toBe(false)
})

test('a signature of the bytes alone, as of any file, says nothing of an image', () => {
  const { publicKey, privateKey } = pairs.ec
  const content = Buffer.from('{"schemaVersion":2}')
  const itsDigest = `sha256:${createHash('sha256').update(content).digest('hex')}` as Digest
  expect(isBundleSigned(messageBundle(content, privateKey), itsDigest, publicKey)).toBe(false)
})

test('what is no signature at all is none, and throws nothing', () => {
  const { publicKey } = pairs.ec
  for (const text of [
    '',
    'null',
    '[]',
    '{"critical":null}',
    '{"critical":{"image":7}}',
    '{"dsseEnvelope":{"payload":7}}',
  ]) {
    const content = Buffer.from(text)
    expect(isSimplySigned(content, content, digest, publicKey)).toBe(false)
    expect(isBundleSigned(content, digest, publicKey)).toBe(false)
  }
})

test('only public keys that are strong enough can be in a policy', () => {
  for (const { publicKey } of Object.values(pairs)) {
    expect(keyProblem(pem(publicKey))).toBeNull()
    expect(keyOf(pem(publicKey))).not.toBeNull()
  }
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey
  expect(keyProblem(pem(weak))).toMatch(/2048/)
  const secret = pairs.ec.privateKey.export({ type: 'pkcs8', format: 'pem' })
  for (const text of ['', 'cosign.pub', secret, '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----']) {
    expect(keyProblem(text)).toMatch(/no public key/)
  }
})
