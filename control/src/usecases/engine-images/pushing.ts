import { Fault, type Turns } from '@gantry/kernel'
import { type Caller, isTag, isRepositoryName } from '@gantry/model'
import { type ImageName, layersOf } from '../../catalogue.ts'
import type { Deps } from '../../deps.ts'
import type { EngineImages, RegistryLogin } from '../../engine-image-verbs.ts'
import type { Manifest } from '../../ports/image-tables.ts'
import { blobLines, pushWords } from './blob-lines.ts'
import { isDigest, nameOf, notFound } from './names.ts'
import { manifestOf } from './look.ts'
import type { OpenStreams } from '../open-streams.ts'
import { judgeRegistry, type OwnPlace, ownPlaceOf } from './own-registry.ts'
import { findImage, type KnownImage } from './project-images.ts'
import { progressOf, type ProgressLine } from './progress-lines.ts'
import { begun, toldBy } from './told-progress.ts'

interface Push {
  readonly deps: Deps
  readonly turns: Turns
  readonly caller: Caller
  readonly image: KnownImage
  readonly name: ImageName
  readonly signal: AbortSignal
}

/** An image goes to the registry that its name leads to; what leads to our own is here, and only gets its name there. */
export function pushVerb(deps: Deps, streams: OpenStreams, turns: Turns): Pick<EngineImages, 'push'> {
  return {
    async push(caller, text, login, signal) {
      const { image, row } = await findImage(deps, caller, text)
      const name = nameOf(text)
      if (!row || isDigest(name.tag)) throw notFound(text)
      judgeRegistry(deps, caller, name.repo)
      const push = { deps, turns, caller, image, name, signal }
      const place = ownPlaceOf(deps, name.repo)
      const open = async () => progressOf(await begun(place ? pushHere(push, place) : pushThere(push, login)))
      const output = await streams.opening(caller.projectId, open, (opened) => opened)
      const { repo, tag } = name
      const { projectId } = caller
      deps.activity.note({ type: 'image', action: 'push', id: `${repo}:${tag}`, projectId, attributes: { name: repo } })
      return output
    },
  }
}

async function* pushThere(push: Push, login: RegistryLogin): AsyncGenerator<ProgressLine> {
  const { deps, caller, image, name, signal } = push
  const layers = new Set(layersOf(await manifestOf(deps, image)).map(({ digest }) => digest))
  yield { status: `The push refers to repository [${name.repo}]` }
  const told = toldBy((tell) => deps.catalogue.send(caller, image.digest, name, login, tell, signal))
  let step = await told.next()
  while (!step.done) {
    if (layers.has(step.value.digest)) yield* blobLines(pushWords, step.value)
    step = await told.next()
  }
  yield* pushed(name, step.value)
}

async function* pushHere({ deps, turns, caller, image, name }: Push, place: OwnPlace): AsyncGenerator<ProgressLine> {
  yield { status: `The push refers to repository [${name.repo}]` }
  const owner = await deps.namespaces.projectOf(place.namespace)
  // Whether there is such a project is nobody's to find out.
  if (owner !== caller.projectId || !isRepositoryName(place.repo) || !isTag(name.tag)) {
    throw new Fault('registry.refused', { reason: 'denied: requested access to the resource is denied' })
  }
  for (const { digest, size } of layersOf(await manifestOf(deps, image))) {
    yield* blobLines(pushWords, { digest, state: 'present', current: size, total: size })
  }
  const named = { repo: place.repo, tag: name.tag }
  await turns.take(caller.projectId, () => deps.catalogue.nameImage(caller, named, image.digest))
  yield* pushed(name, await deps.catalogue.manifest(image.digest))
}

function* pushed({ tag }: ImageName, { digest, size }: Manifest): Generator<ProgressLine> {
  yield { status: `${tag}: digest: ${digest} size: ${size}` }
  yield { progressDetail: {}, aux: { Tag: tag, Digest: digest, Size: size } }
}
