import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createSecretFile } from '@gantry/ca'
import type { Secrets } from '@gantry/control'

const cipher = 'aes-256-gcm'
const keyBytes = 32
const ivBytes = 12
const tagBytes = 16
/** What is sealed begins with the number of its format, so that another one can follow. */
const format = 'v1'

/**
 * Secrets under the key in the file at `path`, which is made on the first start. Whoever has both the database and this file
 * can read them; without the file nobody can, so it belongs into the backup, apart from the database.
 */
export async function secretsFile(path: string): Promise<Secrets> {
  await createSecretFile(path, `${randomBytes(keyBytes).toString('base64')}\n`)
  const key = Buffer.from(await readFile(path, 'utf8'), 'base64')
  if (key.length !== keyBytes) throw new Error(`${path} does not hold a key; put it back from a backup.`)
  return sealedWith(key)
}

/** AES-256-GCM with a fresh IV each time; a changed byte anywhere is found out. */
export function sealedWith(key: Buffer): Secrets {
  return {
    seal(plain) {
      const iv = randomBytes(ivBytes)
      const sealing = createCipheriv(cipher, key, iv, { authTagLength: tagBytes }).setAAD(Buffer.from(format))
      const body = Buffer.concat([sealing.update(plain, 'utf8'), sealing.final()])
      return `${format}:${Buffer.concat([iv, sealing.getAuthTag(), body]).toString('base64')}`
    },
    open(sealed) {
      const [version, data = ''] = sealed.split(':', 2)
      const bytes = Buffer.from(data, 'base64')
      if (version !== format || bytes.length < ivBytes + tagBytes) throw unreadable()
      const iv = bytes.subarray(0, ivBytes)
      const opening = createDecipheriv(cipher, key, iv, { authTagLength: tagBytes }).setAAD(Buffer.from(format))
      opening.setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes))
      try {
        return opening.update(bytes.subarray(ivBytes + tagBytes), undefined, 'utf8') + opening.final('utf8')
      } catch (error) {
        throw unreadable(error)
      }
    },
  }
}

function unreadable(cause?: unknown): Error {
  return new Error('A secret in the database was sealed with another key than that in secrets.key.', { cause })
}
