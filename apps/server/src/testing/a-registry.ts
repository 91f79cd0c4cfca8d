import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import type { RegistryVerbs, Repository } from '@gantry/control'
import { registryVerbs } from '@gantry/control/testing'
import { randomIds } from '@gantry/kernel'
import type { Digest, HostId, ProjectId } from '@gantry/model'
import { type ACatalogue, aCatalogue, bytesOf, type CatalogueOptions, digestOf, type MadeImage } from './a-catalogue.ts'
import { aCaller } from './a-world.ts'

export const ann = aCaller('p-ann')
export const bob = aCaller('p-bob')
export const reader = { ...ann, roles: ['reader'] }
export const admin = aCaller('p-admin', ['admin'])
export const hostId = 'h1' as HostId

/** What projects are called; all else is nobody's. */
const projects: Readonly<Record<string, string>> = { ann: 'p-ann', bob: 'p-bob', admin: 'p-admin' }

export interface ARegistry extends ACatalogue {
  readonly registry: RegistryVerbs
}

/** A registry on a catalogue of its own; the projects of `ann`, `bob` and `admin` have those namespaces. */
export async function aRegistry(options: CatalogueOptions = {}): Promise<ARegistry> {
  const parts = await aCatalogue(options)
  const start = () =>
    registryVerbs({
      store: parts.store,
      blobs: parts.blobs,
      catalogue: parts.catalogue,
      secrets: parts.secrets,
      clock: parts.clock,
      ids: randomIds,
      namespaces: {
        projectOf: async (name) => (projects[name] as ProjectId | undefined) ?? null,
        namespaceOf: async (id) => Object.entries(projects).find(([, project]) => project === id)?.[0] ?? id,
        userNameOf: async (id) => id,
      },
    })
  let registry = start()
  return {
    get catalogue() {
      return parts.catalogue
    },
    get blobs() {
      return parts.blobs
    },
    get registry() {
      return registry
    },
    store: parts.store,
    clock: parts.clock,
    secrets: parts.secrets,
    async restart() {
      await parts.restart()
      registry = start()
    },
    [Symbol.asyncDispose]: () => parts[Symbol.asyncDispose](),
  }
}

export function soon(): AbortSignal {
  return AbortSignal.timeout(20_000)
}

/** As `docker push` does it. */
export async function push(repository: Repository, reference: string, image: MadeImage): Promise<Digest> {
  for (const text of [image.config, ...image.layers]) await pushBlob(repository, bytesOf(text))
  const { digest } = await repository.putManifest(reference, image.manifest)
  return digest
}

export async function pushBlob(repository: Repository, content: Buffer): Promise<Digest> {
  const digest = digestOf(content)
  const isThere = await repository.blob(digest).then(
    () => true,
    () => false,
  )
  if (isThere) return digest
  const id = await repository.beginUpload()
  await repository.append(id, Readable.from([content]), 0, soon())
  await repository.finishUpload(id, digest)
  return digest
}

/** As `docker pull` does it: everything, byte for byte. */
export async function pull(repository: Repository, reference: string, image: MadeImage): Promise<void> {
  const { digest, content } = await repository.manifest(reference, soon())
  if (digest !== image.digest || !content.equals(image.manifest.content)) throw new Error('another manifest')
  for (const text of [image.config, ...image.layers]) {
    const { body } = await repository.openBlob(digestOf(text), null, soon())
    if ((await buffer(body)).toString() !== text) throw new Error('another blob')
  }
}

/** The code of the fault that `work` ends with. */
export async function faultOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'none',
    (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : String(error)),
  )
}
