import { createHash } from 'node:crypto'
import { Fault } from '@gantry/kernel'
import type { Caller, Digest, Image } from '@gantry/model'
import type { Repository } from '../../registry-verbs.ts'
import { checkTag } from './place.ts'
import { digestOf } from './reading.ts'
import type { RegistryDeps } from './registry-deps.ts'

export type Writing = Pick<Repository, 'putManifest' | 'deleteManifest' | 'deleteBlob' | 'mount'>

export interface WrittenPlace {
  readonly caller: Caller
  /** Empty: what is pushed gets no name. */
  readonly repo: string
  /** What faults call it. */
  readonly name: string
}

/** What the caller may change in a repository of its own project. */
export function writingOf(deps: RegistryDeps, { caller, repo, name }: WrittenPlace): Writing {
  const { store, catalogue, clock } = deps
  const { projectId } = caller

  /** Entries of what had a tag here, and of no other repository's. */
  async function lostNames(digest: Digest): Promise<Image[]> {
    const holds = (await store.contents.holds(projectId)).filter((hold) => hold.digest === digest)
    if (holds.some((hold) => hold.repo !== repo && hold.repo !== '')) return []
    const nameless = await store.images.list(projectId, { owners: 'own', repo: '', digest })
    return nameless.filter(({ name: given }) => given === null)
  }

  return {
    async putManifest(reference, manifest) {
      const byDigest = reference.includes(':')
      if (byDigest) checkManifestDigest(reference, manifest.content)
      else checkTag(reference)
      // Naming brings it into the repository. If that does not happen any more, a sweep finds it.
      const holder = { caller, repo: byDigest ? repo : '' }
      const { digest, subject } = await catalogue.addManifest(holder, manifest)
      if (!byDigest && repo !== '') await catalogue.nameImage(caller, { repo, tag: reference }, digest)
      return { digest, subject }
    },
    async deleteManifest(reference) {
      const unknown = () => new Fault('manifest.unknown', { reference, repository: name })
      const rows = (await store.images.list(projectId, { owners: 'own', repo })).filter(isContent)
      if (!reference.includes(':')) {
        const row = rows.find(({ tag }) => tag === reference)
        if (!row) throw unknown()
        await drop(deps, caller, [row])
        return
      }
      const digest = digestOf(reference)
      const named = rows.filter((row) => row.digest === digest)
      if (named.length === 0 && !(await store.contents.holdOf(projectId, repo, digest))) throw unknown()
      await drop(deps, caller, [...named, ...(await lostNames(digest))])
      // A name that was given to it meanwhile keeps it.
      await store.transaction(async (tables) => {
        const again = await tables.images.list(projectId, { owners: 'own', repo, digest })
        if (again.length === 0) await tables.contents.release(projectId, repo, digest)
      })
    },
    async deleteBlob(text) {
      const digest = digestOf(text)
      await store.transaction(async ({ contents }) => {
        if (!(await contents.hasBlob(projectId, digest))) throw new Fault('blob.unknown', { digest })
        const idle = await contents.idleBlobs(projectId, clock.now() + 1)
        if (!idle.includes(digest)) {
          throw new Fault('request.unsupported', {
            feature: 'Deleting this blob',
            reason: 'a manifest of your project needs it; delete that first',
          })
        }
        await contents.releaseBlob(projectId, digest)
      })
    },
    mount: async (text) => (await catalogue.holdBlob(caller, digestOf(text))) !== null,
  }
}

function isContent({ kind, status, digest, tag }: Image): boolean {
  return kind !== 'data' && status === 'active' && digest !== null && tag !== ''
}

async function drop({ catalogue }: RegistryDeps, caller: Caller, rows: readonly Image[]): Promise<void> {
  const kept = rows.find(({ glance }) => glance.protected)
  if (kept) {
    throw new Fault('policy.forbidden', {
      action: `Deleting ${kept.repo}:${kept.tag}`,
      reason: 'the image is protected; take its protection away first',
    })
  }
  if (rows.length === 0) return
  await catalogue.elsewhere.withdraw(caller, rows)
  await catalogue.dropImages(rows)
}

/** Its bytes are what they are said to be. Manifests are known by their SHA-256 alone, so that one has one name. */
function checkManifestDigest(reference: string, content: Buffer): void {
  const digest = digestOf(reference)
  if (digest.startsWith('sha512:')) {
    throw new Fault('request.unsupported', { feature: 'A manifest by its sha512 digest', reason: 'give its sha256' })
  }
  const actual = `sha256:${createHash('sha256').update(content).digest('hex')}`
  if (actual !== digest) throw new Fault('digest.mismatch', { digest, actual })
}
