import { Fault, type Turns, reasonOf } from '@gantry/kernel'
import { type Caller, type Digest, formatImageName, type HostId, type Image, registryOf } from '@gantry/model'
import { layersOf, pulledFrom, type ImageName } from '../../catalogue.ts'
import type { Deps } from '../../deps.ts'
import type { RegistryLogin } from '../../engine-image-verbs.ts'
import { upstreamRepository } from '../catalogue/sources.ts'
import { listHosts } from '../hosts.ts'
import { blobLines, pullWords } from './blob-lines.ts'
import { giveImage } from './giving.ts'
import { learnSize } from './image-sizes.ts'
import { newName } from './names.ts'
import { judgeRegistry, ownPlaceOf } from './own-registry.ts'
import type { ProgressLine } from './progress-lines.ts'
import { begun, toldBy } from './told-progress.ts'

/** A pull of a caller's. */
export interface Puller {
  readonly deps: Deps
  readonly turns: Turns
  readonly caller: Caller
  readonly signal: AbortSignal
}

export interface PullRequest {
  readonly repo: string
  readonly tag: string
  readonly login: RegistryLogin
}

/** The progress of a pull, whose image is the project's before its last line. What fails at once is thrown. */
export async function openPull(
  puller: Puller,
  { repo, tag, login }: PullRequest,
): Promise<AsyncGenerator<ProgressLine>> {
  const { deps, caller } = puller
  const name = newName(repo, tag)
  judgeRegistry(deps, caller, name.repo)
  const place = ownPlaceOf(deps, name.repo)
  return begun(place ? pullHere(puller, name, `${place.namespace}/${place.repo}`) : pull(puller, name, login))
}

/** From our own registry: it is here, and only gets the name by which it was asked for. */
async function* pullHere(puller: Puller, name: ImageName, path: string): AsyncGenerator<ProgressLine> {
  const { deps, caller } = puller
  const found = await deps.catalogue.find(caller, name)
  const image = found?.digest ? await deps.catalogue.runnable(found.digest) : null
  if (!found?.digest || !image) {
    const reason = `manifest for ${formatImageName(name.repo, name.tag)} not found: manifest unknown`
    throw new Fault('registry.refused', { reason })
  }
  yield { status: `Pulling from ${path}`, id: name.tag }
  for (const { digest, size } of layersOf(image)) {
    yield* blobLines(pullWords, { digest, state: 'present', current: size, total: size })
  }
  yield* named(puller, name, found.digest)
}

async function* pull(puller: Puller, name: ImageName, login: RegistryLogin): AsyncGenerator<ProgressLine> {
  const { deps, caller, signal } = puller
  const path = upstreamRepository(name).path
  const told = toldBy((tell) => deps.catalogue.fetch(caller, name, login, tell, signal))
  let step: Awaited<ReturnType<typeof told.next>>
  try {
    step = await told.next()
  } catch (error) {
    if (login !== null || !(error instanceof Fault) || error.code !== 'registry.unreachable') throw error
    const here = await withoutRegistry(puller, name)
    if (here === null) throw error
    yield { status: `Pulling from ${path}`, id: name.tag }
    yield { status: `${error.message}; ${here} has this image already.` }
    yield { status: `Status: Image is up to date for ${formatImageName(name.repo, name.tag)}` }
    return
  }
  yield { status: `Pulling from ${path}`, id: name.tag }
  while (!step.done) {
    yield* blobLines(pullWords, step.value)
    step = await told.next()
  }
  yield* named(puller, name, step.value.digest)
}

async function* named(puller: Puller, name: ImageName, digest: Digest): AsyncGenerator<ProgressLine> {
  yield { status: `Digest: ${digest}` }
  const isNew = await keepPulled(puller, name, digest)
  const what = isNew ? 'Downloaded newer image' : 'Image is up to date'
  yield { status: `Status: ${what} for ${formatImageName(name.repo, name.tag)}` }
}

/** Whether the name means something else to the project than before. */
async function keepPulled({ deps, turns, caller }: Puller, name: ImageName, digest: Digest): Promise<boolean> {
  const { projectId } = caller
  const full = formatImageName(name.repo, name.tag)
  const isNew = await turns.take(projectId, async () => {
    const former = await meantBy(deps, caller, name)
    if (former?.digest === digest) return false
    await deps.catalogue.nameImage(caller, name, digest, { glance: { properties: { [pulledFrom]: full } } })
    return true
  })
  deps.activity.note({ type: 'image', action: 'pull', id: full, projectId, attributes: { name: name.repo } })
  return isNew
}

/** What has exactly this name: the project's own, or what everybody sees. */
async function meantBy({ store }: Deps, { projectId }: Caller, { repo, tag }: ImageName): Promise<Image | undefined> {
  return store.images.resolve(projectId, repo, tag)
}

/**
 * In a cloud that reaches no registry, what is here under a name that came from one counts as pulled: from the catalogue, or from
 * a host, whose operator put it there. Answers who has it; null: nobody.
 */
async function withoutRegistry(puller: Puller, name: ImageName): Promise<string | null> {
  const { deps, caller, signal } = puller
  const known = await meantBy(deps, caller, name)
  const isPulled = known?.glance.properties[pulledFrom] !== undefined
  if (known && (isPulled || known.projectId !== caller.projectId)) return 'this cloud'
  const engineRef = formatImageName(name.repo, name.tag)
  // Under such names engines keep copies of everybody's images.
  if (/^(127\.|\[|localhost)/.test(registryOf(name.repo))) return null
  const hostId = await hostWith(deps, engineRef)
  if (hostId === null) return null
  const { digest, imageId, size } = await giveImage(deps, caller, hostId, engineRef, signal)
  await keepPulled(puller, name, digest)
  await learnSize(deps, imageId, size)
  return 'the host'
}

const lookMs = 20_000

async function hostWith(deps: Deps, engineRef: string): Promise<HostId | null> {
  for (const { id, connected } of await listHosts(deps)) {
    if (connected && (await hasImage(deps, id, engineRef))) return id
  }
  return null
}

async function hasImage({ links, log }: Deps, hostId: HostId, engineRef: string): Promise<boolean> {
  try {
    await links.calls(hostId).imageLook({ engineRef }, { signal: AbortSignal.timeout(lookMs) })
    return true
  } catch (error) {
    const isMissing = error instanceof Fault && error.code === 'image.not-found'
    if (!isMissing) log.warn({ host: hostId, reason: reasonOf(error) }, 'host not asked for an image')
    return false
  }
}
