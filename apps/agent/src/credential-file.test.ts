import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { credentialFile } from './credential-file.ts'

const credentials = { hostId: 'h', deployment: 'd', certificate: 'c', key: 'k', ca: 'a' }
let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gantry-credentials-'))
})
afterEach(() => rm(folder, { recursive: true }))

test('keeps what it was given, for its owner only, and leaves no draft', async () => {
  const file = credentialFile(join(folder, 'new'))
  expect(await file.load()).toBeNull()
  await file.save(credentials)
  await file.save({ ...credentials, certificate: 'next' })
  expect(await file.load()).toEqual({ ...credentials, certificate: 'next' })
  expect(await readdir(join(folder, 'new'))).toEqual(['host.json'])
  expect((await stat(join(folder, 'new', 'host.json'))).mode & 0o777).toBe(0o600)
})

test.each(['', '{', '{}', '[]', 'null', '{"hostId":1}'])('a damaged file (%j) says what to do', async (text) => {
  await writeFile(join(folder, 'host.json'), text)
  await expect(credentialFile(folder).load()).rejects.toThrow('is damaged; remove it')
})
