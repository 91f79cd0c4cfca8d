import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import type { ManifestAnswer, Repository } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { Digest } from '@gantry/model'

export function digestOf(content: string | Buffer): Digest {
  return `sha256:${createHash('sha256').update(content).digest('hex')}` as Digest
}

export interface FakeRepository extends Repository {
  readonly blobs: Map<string, Buffer>
  readonly uploads: Map<string, Buffer>
  readonly manifests: Map<string, ManifestAnswer>
}

/** One repository in memory, which does what its interface says and no more. */
export function fakeRepository(): FakeRepository {
  const blobs = new Map<string, Buffer>()
  const uploads = new Map<string, Buffer>()
  const manifests = new Map<string, ManifestAnswer>()
  const blobOf = (digest: string) => {
    const blob = blobs.get(digest)
    if (!blob) throw new Fault('blob.unknown', { digest })
    return blob
  }
  const uploadOf = (upload: string) => {
    const received = uploads.get(upload)
    if (!received) throw new Fault('upload.unknown', { upload })
    return received
  }
  const manifestOf = (reference: string) => {
    const found = manifests.get(reference)
    if (!found) throw new Fault('manifest.unknown', { reference, repository: 'demo/app' })
    return found
  }
  return {
    blobs,
    uploads,
    manifests,
    async tags({ after, limit }) {
      const tags = [...manifests.keys()].filter((tag) => !tag.includes(':') && (after === null || tag > after))
      return tags.toSorted().slice(0, limit)
    },
    manifest: async (reference) => manifestOf(reference),
    async putManifest(reference, { mediaType, content }) {
      const answer = { mediaType, content, digest: digestOf(content) }
      manifests.set(reference, answer).set(answer.digest, answer)
      const { subject } = JSON.parse(content.toString()) as { subject?: { digest: Digest } }
      return { digest: answer.digest, subject: subject?.digest ?? null }
    },
    async deleteManifest(reference) {
      manifestOf(reference)
      manifests.delete(reference)
    },
    blob: async (digest) => ({ size: blobOf(digest).length }),
    async openBlob(digest, range) {
      const blob = blobOf(digest)
      const part = range ? blob.subarray(range.start, range.end + 1) : blob
      return { size: blob.length, body: Readable.from([part]) }
    },
    async deleteBlob(digest) {
      blobOf(digest)
      blobs.delete(digest)
    },
    mount: async (digest) => blobs.has(digest),
    async beginUpload() {
      const id = `upload-${uploads.size}`
      uploads.set(id, Buffer.alloc(0))
      return id as Awaited<ReturnType<Repository['beginUpload']>>
    },
    received: async (id) => uploadOf(id).length,
    async append(id, body, offset) {
      const before = uploadOf(id)
      if (offset !== null && offset !== before.length) {
        throw new Fault('upload.out-of-order', { upload: id, received: before.length })
      }
      const parts = [before]
      for await (const part of body) parts.push(part as Buffer)
      uploads.set(id, Buffer.concat(parts))
      return uploadOf(id).length
    },
    async finishUpload(id, digest) {
      const content = uploadOf(id)
      const actual = digestOf(content)
      if (actual !== digest) throw new Fault('digest.mismatch', { actual, digest })
      uploads.delete(id)
      blobs.set(actual, content)
      return { digest: actual, size: content.length }
    },
    async cancelUpload(id) {
      uploadOf(id)
      uploads.delete(id)
    },
    async referrers(digest, artifactType) {
      const view = { mediaType: 'm', digest: digest as Digest, size: 1, artifactType: 'a/b', annotations: { k: 'v' } }
      return artifactType === null || artifactType === 'a/b' ? [view] : []
    },
  }
}
