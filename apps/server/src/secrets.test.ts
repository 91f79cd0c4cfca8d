import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sealedWith, secretsFile } from './secrets.ts'

let home = ''
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'gantry-secrets-'))
})
afterAll(() => rm(home, { recursive: true, force: true }))

test('any text comes back, and never looks the same twice', () => {
  const secrets = sealedWith(randomBytes(32))
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (plain) => {
      const [one, two] = [secrets.seal(plain), secrets.seal(plain)]
      expect(secrets.open(one)).toBe(plain)
      expect(one).not.toBe(two)
      expect(one).toMatch(/^v1:/)
    }),
  )
})

test('what was changed, cut short, sealed with another key or is of another format is not opened', () => {
  const secrets = sealedWith(randomBytes(32))
  const sealed = secrets.seal('swordfish')
  const bytes = Buffer.from(sealed.slice(3), 'base64')
  for (let at = 0; at < bytes.length; at += 1) {
    const changed = Buffer.from(bytes)
    changed[at] = (changed[at] ?? 0) ^ 1
    expect(() => secrets.open(`v1:${changed.toString('base64')}`)).toThrow('another key')
    expect(() => secrets.open(`v1:${bytes.subarray(0, at).toString('base64')}`)).toThrow('another key')
  }
  expect(() => sealedWith(randomBytes(32)).open(sealed)).toThrow('another key')
  expect(() => secrets.open(sealed.replace('v1', 'v2'))).toThrow('another key')
  expect(() => secrets.open('')).toThrow('another key')
})

test('the key is made once, for its owner only, also when two start at the same time', async () => {
  const path = join(home, 'secrets.key')
  const [one, two] = await Promise.all([secretsFile(path), secretsFile(path)])
  expect(two.open(one.seal('swordfish'))).toBe('swordfish')
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  const key = await readFile(path, 'utf8')
  expect((await secretsFile(path)).open(one.seal('x'))).toBe('x')
  expect(await readFile(path, 'utf8')).toBe(key)
})

test('a damaged key file is named', async () => {
  const path = join(home, 'damaged.key')
  await writeFile(path, 'nonsense')
  await expect(secretsFile(path)).rejects.toThrow(path)
})
