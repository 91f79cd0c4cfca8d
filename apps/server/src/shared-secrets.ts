import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type CertificateAuthority, createOrLoadCa } from '@gantry/ca'
import type { Secrets } from '@gantry/control'

/** The value kept under `key` in the database; made by `create` by whichever server comes first. */
export type Keep = (key: string, create: () => string) => Promise<string>

const proof = 'sealed with the key of this cloud'

/**
 * The certificate authority of a cloud of several servers: in the database, sealed, so that `secrets.key` is all that a further
 * server is given. What is in `folder` is a copy. Throws if this server's key is not the cloud's.
 */
export async function sharedAuthority(keep: Keep, secrets: Secrets, home: string): Promise<CertificateAuthority> {
  await requireSameKey(keep, secrets, home)
  const folder = join(home, 'ca')
  const own = await createOrLoadCa(folder)
  const files = ['ca-key.pem', 'ca.pem'] as const
  const mine = JSON.stringify(await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8'))))
  const kept = secrets.open(await keep('authority', () => secrets.seal(mine)))
  if (kept === mine) return own
  await rename(folder, await freeName(folder))
  await mkdir(folder, { mode: 0o700 })
  const contents = JSON.parse(kept) as string[]
  for (const [at, name] of files.entries()) await writeFile(join(folder, name), contents[at] ?? '', { mode: 0o600 })
  return createOrLoadCa(folder)
}

async function requireSameKey(keep: Keep, secrets: Secrets, home: string): Promise<void> {
  const sealed = await keep('proof of the key', () => secrets.seal(proof))
  try {
    if (secrets.open(sealed) === proof) return
  } catch {
    // Said below.
  }
  throw new Error(
    `${join(home, 'secrets.key')} is not the key of the cloud in this database. Copy secrets.key from the home of one of its servers, and start again.`,
  )
}

async function freeName(folder: string): Promise<string> {
  for (let number = 1; ; number += 1) {
    const name = `${folder}.old${number}`
    const isFree = await readFile(join(name, 'ca.pem')).then(
      () => false,
      () => true,
    )
    if (isFree) return name
  }
}
