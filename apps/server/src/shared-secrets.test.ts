import { randomBytes } from 'node:crypto'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { secretsFile, sealedWith } from './secrets.ts'
import { sharedAuthority } from './shared-secrets.ts'

const made: string[] = []
afterEach(async () => {
  for (const home of made.splice(0)) await rm(home, { recursive: true })
})

async function newHome(): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'gantry-home-'))
  made.push(home)
  return home
}

function settings() {
  const kept = new Map<string, string>()
  return async (key: string, create: () => string) => {
    const value = kept.get(key) ?? create()
    kept.set(key, value)
    return value
  }
}

test('servers with one key have one authority, whichever of them was first', async () => {
  const keep = settings()
  const [first, second] = [await newHome(), await newHome()]
  const secrets = await secretsFile(join(first, 'secrets.key'))
  await cp(join(first, 'secrets.key'), join(second, 'secrets.key'))
  const authority = await sharedAuthority(keep, secrets, first)
  const other = await sharedAuthority(keep, await secretsFile(join(second, 'secrets.key')), second)
  expect(other.fingerprint).toBe(authority.fingerprint)
  expect((await sharedAuthority(keep, secrets, second)).fingerprint).toBe(authority.fingerprint)
})

test('another key is refused with what to do', async () => {
  const keep = settings()
  const home = await newHome()
  await sharedAuthority(keep, sealedWith(randomBytes(32)), home)
  const other = sharedAuthority(keep, sealedWith(randomBytes(32)), await newHome())
  await expect(other).rejects.toThrow(/is not the key of the cloud in this database. Copy secrets.key/)
})

test('a home that had an authority of its own before keeps it aside', async () => {
  const keep = settings()
  const secrets = sealedWith(randomBytes(32))
  const [cloud, home] = [await newHome(), await newHome()]
  const authority = await sharedAuthority(keep, secrets, cloud)
  await sharedAuthority(settings(), secrets, home)
  expect((await sharedAuthority(keep, secrets, home)).fingerprint).toBe(authority.fingerprint)
})
