import { mkdir, open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Fault } from '@gantry/kernel'
import type { Digest } from '@gantry/model'
import type { UploadId } from '@gantry/control'

/**
 * Where things are below the store's folder: `blobs/sha256/ab/<hex>`, `uploads/<id>`, beside it `<id>.done` (a symbolic link
 * that only names the digest it became), and `corrupt/<algorithm>-<hex>` for what was set aside.
 */
export interface Layout {
  readonly blobs: string
  readonly uploads: string
  /** Of what was corrupt. */
  readonly setAside: string
  readonly blob: (digest: Digest) => string
  readonly upload: (id: UploadId) => string
  readonly done: (id: UploadId) => string
  readonly corrupt: (digest: Digest) => string
}

export const doneSuffix = '.done'

export function layoutOf(folder: string): Layout {
  const uploads = join(folder, 'uploads')
  const setAside = join(folder, 'corrupt')
  const upload = (id: UploadId) => {
    if (!isUploadId(id)) throw new Fault('upload.unknown', { upload: String(id).slice(0, 100) })
    return join(uploads, id)
  }
  return {
    blobs: join(folder, 'blobs'),
    uploads,
    setAside,
    blob: (digest) => {
      const [algorithm = '', hex = ''] = digest.split(':')
      return join(folder, 'blobs', algorithm, hex.slice(0, 2), hex)
    },
    upload,
    done: (id) => upload(id) + doneSuffix,
    corrupt: (digest) => join(setAside, digest.replace(':', '-')),
  }
}

/** An id becomes the name of a file. */
export function isUploadId(id: string): id is UploadId {
  return /^[a-z0-9-]{1,128}$/.test(id)
}

/** What is named in this folder is so after a loss of power too. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

export async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode: 0o700 })
  if (first === undefined) return
  for (let made = folder; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made))
}

export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}

/** `action`, with a full disk told as such. */
export async function writing<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action()
  } catch (error) {
    if (['ENOSPC', 'EDQUOT'].includes(codeOf(error))) throw new Fault('store.full', {}, error)
    throw error
  }
}

/** `action`; null: there is no such file. */
export async function unlessAbsent<T>(action: () => Promise<T>): Promise<T | null> {
  try {
    return await action()
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null
    throw error
  }
}
