import { Fault } from '@gantry/kernel'
import {
  type Caller,
  type Container,
  familiarRepo,
  formatImageName,
  type Image,
  imageAt,
  parseDigest,
  parseImageName,
  type PullPolicy,
} from '@gantry/model'
import { pulledFrom } from '../catalogue.ts'
import type { Deps } from '../deps.ts'
import type { Tables } from '../ports/store.ts'
import { isPrivateRef, privateEngineRef } from './images-of-project.ts'
import { requireSigned } from './registry/signatures.ts'
import { sealedAuthFor } from './registries.ts'

export type ImageChoice = Pick<Container, 'imageRef' | 'imageManifest' | 'registryId' | 'sealedRegistryAuth'>

export interface ImageAsk {
  readonly image: string
  /** A registry of the project's, by id or name. */
  readonly registry?: string | undefined
  readonly pullPolicy: PullPolicy
}

/**
 * What a host will be told to run: the image of the catalogue that is meant by now, or else a name that its engine, or another
 * registry, must know. Call it before the transaction that writes the container, and `confirmImage` in it. Throws
 * `image.not-found` for what no name may reach: bare engine ids, and references into what engines keep for projects.
 */
export async function imageOfNew(deps: Deps, caller: Caller, ask: ImageAsk): Promise<ImageChoice> {
  if (ask.registry !== undefined) return imageOfRegistry(deps, caller, ask.image, ask.registry)
  const { image } = ask
  const known = await knownImage(deps, caller, image)
  // Whoever always wants the newest wants it of what was pulled, too.
  const isStale = ask.pullPolicy === 'always' && known?.glance.properties[pulledFrom] !== undefined
  if (known && known.digest !== null && !isStale) {
    const found = await deps.catalogue.runnable(known.digest)
    if (!found?.configDigest) {
      throw new Fault('request.invalid', { problem: `${image} is no image that can be run here.` })
    }
    await requireSigned(deps, caller, known, image)
    return { imageRef: found.configDigest, imageManifest: found.digest, registryId: null, sealedRegistryAuth: null }
  }
  const { repo, tag } = engineName(image)
  await requireSigned(deps, caller, null, image)
  const imageRef = formatImageName(repo, tag)
  return { imageRef, imageManifest: null, registryId: null, sealedRegistryAuth: null }
}

/** Its content is still there: from here on the container keeps it. */
export async function confirmImage(tables: Tables, { imageManifest }: ImageChoice, image: string): Promise<void> {
  if (imageManifest === null || (await tables.contents.manifest(imageManifest))) return
  throw new Fault('image.not-found', { image, reason: 'it was just deleted' })
}

async function imageOfRegistry(deps: Deps, caller: Caller, image: string, registry: string): Promise<ImageChoice> {
  const { registryId, sealedRegistryAuth, imagePrefix } = await sealedAuthFor(
    deps.store,
    deps.secrets,
    caller,
    registry,
  )
  const { repo, tag } = engineName(imageAt(imagePrefix, image))
  await requireSigned(deps, caller, null, image)
  // What a password was needed for is kept where no other project's request can name it.
  const imageRef =
    sealedRegistryAuth === null
      ? formatImageName(repo, tag)
      : privateEngineRef(caller.projectId, repo, tag.replace(':', '-'))
  return { imageRef, imageManifest: null, registryId, sealedRegistryAuth }
}

async function knownImage(deps: Deps, caller: Caller, image: string): Promise<Image | null> {
  const byId = await deps.catalogue.elsewhere.byId(caller, image)
  if (byId) return complete(byId, image)
  if (isPrivateRef(image)) return null
  const { repo, tag } = parseImageName(image)
  const name = { repo: familiarRepo(repo), tag }
  const found = await deps.catalogue.find(caller, name)
  if (found) return complete(found, image)
  const [own] = await deps.store.images.list(caller.projectId, { owners: 'own', ...name })
  return own ? complete(own, image) : null
}

function complete(image: Image, asked: string): Image {
  if (image.status === 'active' && image.digest !== null) return image
  throw new Fault('image.not-found', { image: asked, reason: 'it has no content yet; try again in a moment' })
}

/** An engine takes `sha256:` and a few digits for an image that it holds, whoever's it is. */
function engineName(image: string): { repo: string; tag: string } {
  const { repo, tag } = parseImageName(image)
  const isId = /^sha256$/i.test(repo) || (image.includes('@') && parseDigest(tag) === null)
  if (isId || isPrivateRef(image)) {
    throw new Fault('image.not-found', { image, reason: 'your project has no image of that name or id' })
  }
  return { repo, tag }
}
