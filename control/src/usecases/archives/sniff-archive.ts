import type { Readable } from 'node:stream'
import { extract } from 'tar-stream'
import { peeked, streamOf, unpacked } from './compression.ts'

/** Names with which archives of images begin, whoever wrote them: `docker save`, `podman save`, skopeo, builders. */
const archived =
  /^(\.\/)?((sha256:)?[0-9a-f]{64}([./]|$)|blobs(\/|$)|(oci-layout|index\.json|manifest\.json|repositories|config\.json)$)/

/** Room for the name in a tar's first header (POSIX.1-1988, ustar). */
const nameLength = 100

/** Tars from before POSIX too. */
const anyFormat = { highWaterMark: 64 << 10, allowUnknownFormat: true }

/** Whether its first bytes are those of an archive of images, not compressed. No is no proof of the contrary. */
export async function sniffed(tar: Readable): Promise<{ readonly isArchive: boolean; readonly body: Readable }> {
  const { head, body } = await peeked(tar as AsyncIterable<Buffer>, nameLength)
  const name = head.subarray(0, nameLength).toString('latin1').replace(/\0.*$/s, '')
  return { isArchive: archived.test(name), body: streamOf(body) }
}

/** Whether a tar says what images are in it. What cannot be read says nothing. */
export async function hasIndex(tar: Readable, signal: AbortSignal): Promise<boolean> {
  const entries = extract(anyFormat)
  try {
    const feeding = (await unpacked(tar as AsyncIterable<Buffer>)).into(entries, signal)
    feeding.catch(() => undefined)
    for await (const entry of entries) {
      if (/^(\.\/)?(manifest|index)\.json$/.test(entry.header.name)) return true
      entry.resume()
    }
    return false
  } catch {
    // Whoever reads it next says why.
    signal.throwIfAborted()
    return false
  } finally {
    entries.destroy()
    tar.destroy()
  }
}
