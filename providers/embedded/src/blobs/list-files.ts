import { lstat, opendir, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { UploadId } from '@gantry/control'
import { type Digest, parseDigest } from '@gantry/model'
import { doneSuffix, isUploadId, type Layout, unlessAbsent } from './layout.ts'

/** Every blob, in no order; one that comes or goes meanwhile may be among them or not. */
export async function* listBlobs({
  blobs,
}: Layout): AsyncGenerator<{ readonly digest: Digest; readonly size: number; readonly changedAt: number }> {
  for (const algorithm of await readdir(blobs)) {
    for (const shard of await readdir(join(blobs, algorithm))) {
      const folder = join(blobs, algorithm, shard)
      for await (const { name } of await opendir(folder)) {
        const digest = parseDigest(`${algorithm}:${name}`)
        const found = digest && (await unlessAbsent(() => stat(join(folder, name))))
        if (found) yield { digest, size: found.size, changedAt: found.mtimeMs }
      }
    }
  }
}

/** Every upload, and what is left of those that became blobs; `abort` removes either. */
export async function* listUploads({
  uploads,
  upload,
  done,
}: Layout): AsyncGenerator<{ readonly id: UploadId; readonly changedAt: number }> {
  const ids = new Set<UploadId>()
  for await (const { name } of await opendir(uploads)) {
    const id = name.endsWith(doneSuffix) ? name.slice(0, -doneSuffix.length) : name
    if (isUploadId(id)) ids.add(id)
  }
  for (const id of ids) {
    const found = (await unlessAbsent(() => stat(upload(id)))) ?? (await unlessAbsent(() => lstat(done(id))))
    if (found) yield { id, changedAt: found.mtimeMs }
  }
}
