import { Fault } from '@gantry/kernel'
import type { Caller } from '@gantry/model'
import { isDigest } from '../engine-images/names.ts'
import { mayChange } from '../../policy/roles.ts'
import type { Repository } from '../../registry-verbs.ts'
import { partsOf, type Place, placeOf } from './place.ts'
import { digestOf, readingOf } from './reading.ts'
import { blindness, borrowedSight, ownSight, type Sight } from './sight.ts'
import { uploadsOf } from './uploads.ts'
import { writingOf } from './writing.ts'
import type { RegistryDeps } from './registry-deps.ts'

/** The calls that change something. */
type Changing = Omit<Repository, 'tags' | 'manifest' | 'blob' | 'openBlob' | 'referrers'>

/** A repository as a caller of its own or of another project may use it. Throws `repository.invalid`. */
export function tenantRepository(deps: RegistryDeps, caller: Caller, name: string): Repository {
  partsOf(name)
  return eachTime(async (meant) => {
    const place = await placeOf(deps, name)
    if (meant !== null && place.projectId !== null && !isDigest(meant)) {
      // What the image service says of this name is written down before anybody looks.
      const tagged = { repo: place.repo, tag: meant }
      await deps.catalogue.elsewhere.ofProject(caller, place.projectId, tagged)
    }
    if (place.projectId !== caller.projectId) return foreignRepository(deps, caller, place)
    const { repo } = place
    if (mayChange(caller)) return ownRepository(deps, { caller, repo, name })
    return { ...readingOf(deps, name, ownSight(deps, caller.projectId, repo)), ...refusingAll(roleRefusal(name)) }
  })
}

/** One of the caller's project, to do anything with. `repo` empty: it has no name, and neither have the images that are pushed there. */
export function ownRepository(
  deps: RegistryDeps,
  { caller, repo, name }: { readonly caller: Caller; readonly repo: string; readonly name: string },
): Repository {
  const { store, clock } = deps
  const reading = readingOf(deps, name, ownSight(deps, caller.projectId, repo))
  return {
    ...reading,
    ...writingOf(deps, { caller, repo, name }),
    ...uploadsOf(deps, caller, repo),
    async blob(text) {
      const digest = digestOf(text)
      // Who pushes asks first, and does not push what is here: it must stay until there is a manifest.
      await store.transaction(async ({ contents }) => {
        if (await contents.hasBlob(caller.projectId, digest)) {
          await contents.holdBlob(caller.projectId, digest, clock.now())
        }
      })
      return reading.blob(text)
    },
  }
}

/** Another project's, or nobody's: which of them it is, only shows where an image of it may be seen. */
function foreignRepository(deps: RegistryDeps, caller: Caller, { projectId, repo, name }: Place): Repository {
  const sight = projectId === null ? blindness : borrowedSight(deps, caller, projectId, repo)
  return { ...readingOf(deps, name, sight), ...refusingAll(() => foreignRefusal(sight, name)) }
}

async function foreignRefusal(sight: Sight, name: string): Promise<Fault> {
  if ((await sight.tags()) === null) return new Fault('repository.unknown', { name })
  return new Fault('policy.forbidden', { action: `Pushing to ${name}`, reason: 'it belongs to another project' })
}

function roleRefusal(name: string): () => Promise<Fault> {
  return async () =>
    new Fault('policy.forbidden', { action: `Pushing to ${name}`, reason: 'it needs the role member or admin' })
}

/** Every change is answered with the fault that `refusal` gives. */
export function refusingAll(refusal: () => Promise<Fault>): Changing {
  const refused = async (): Promise<never> => {
    throw await refusal()
  }
  return {
    putManifest: refused,
    deleteManifest: refused,
    deleteBlob: refused,
    mount: refused,
    beginUpload: refused,
    received: refused,
    append: refused,
    finishUpload: refused,
    cancelUpload: refused,
  }
}

/** A repository that is looked up for each call: what the caller may do there is judged anew. */
function eachTime(findFor: (reference: string | null) => Promise<Repository>): Repository {
  const find = () => findFor(null)
  return {
    tags: async (page) => (await find()).tags(page),
    manifest: async (reference, signal) => (await findFor(reference)).manifest(reference, signal),
    putManifest: async (reference, manifest) => (await find()).putManifest(reference, manifest),
    deleteManifest: async (reference) => (await find()).deleteManifest(reference),
    blob: async (digest) => (await find()).blob(digest),
    openBlob: async (digest, range, signal) => (await find()).openBlob(digest, range, signal),
    deleteBlob: async (digest) => (await find()).deleteBlob(digest),
    mount: async (digest) => (await find()).mount(digest),
    beginUpload: async () => (await find()).beginUpload(),
    received: async (id) => (await find()).received(id),
    append: async (id, body, offset, signal) => (await find()).append(id, body, offset, signal),
    finishUpload: async (id, digest) => (await find()).finishUpload(id, digest),
    cancelUpload: async (id) => (await find()).cancelUpload(id),
    referrers: async (digest, artifactType) => (await find()).referrers(digest, artifactType),
  }
}
