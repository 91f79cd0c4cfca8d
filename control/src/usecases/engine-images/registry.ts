import type { Readable } from 'node:stream'
import { Fault } from '@gantry/kernel'
import { type Caller, formatImageName, type HostId, registryOf } from '@gantry/model'
import type { Deps } from '../../deps.ts'
import type { EngineImages, RegistryLogin } from '../../engine-image-verbs.ts'
import { outputOf, required } from '../interact.ts'
import { privateEngineRef } from '../images-of-project.ts'
import type { OpenStreams } from '../open-streams.ts'
import { catalogueOf, findImage } from './catalogue.ts'
import { hostForImages } from './image-host.ts'
import { nameImage, soon } from './image-rows.ts'
import { type ImageName, isDigest, nameOf, newName, notFound } from './names.ts'
import { progressLines, progressOf, type ProgressLine } from './progress-lines.ts'
import type { Turns } from './turns.ts'

type RegistryVerbs = Pick<EngineImages, 'pull' | 'push' | 'search' | 'registryLogin' | 'distribution'>

export function registryVerbs(deps: Deps, streams: OpenStreams, turns: Turns): RegistryVerbs {
  const judge = (caller: Caller, domain: string) => deps.rules.judge(caller, { kind: 'registry', domain })
  return {
    async pull(caller, request, signal) {
      const hostId = await hostForImages(deps, caller)
      return progressOf(await openPull({ deps, streams, turns, caller, hostId, signal }, request))
    },
    async push(caller, text, login, signal) {
      const catalogue = await catalogueOf(deps.store, caller)
      const { image, row } = findImage(catalogue, text)
      const { repo, tag } = nameOf(text)
      if (!row || isDigest(tag)) throw notFound(text)
      judge(caller, registryOf(repo))
      const args = { engineRef: row.engineRef, target: `${repo}:${tag}`, auth: login }
      const open = () => deps.links.calls(image.hostId).imagePushFlow(args, { signal })
      const { output } = await streams.opening(caller.projectId, open, outputOf)
      deps.activity.note({
        type: 'image',
        action: 'push',
        id: `${repo}:${tag}`,
        projectId: caller.projectId,
        attributes: { name: repo },
      })
      return required(output)
    },
    async search(caller, term, limit) {
      const { repo } = nameOf(term)
      const known = (await catalogueOf(deps.store, caller)).flatMap(({ names, shared }) =>
        names.map((name) => ({ name: nameOf(name).repo, isPublic: shared.length > 0 })),
      )
      const own = known
        .filter(({ name }) => name.includes(repo))
        .map(({ name, isPublic }) => ({
          name,
          description: isPublic ? 'Public image of this cloud' : "Image of your project's",
          official: isPublic,
          automated: false,
          stars: 0,
        }))
      judge(caller, registryOf(repo))
      const hostId = await hostForImages(deps, caller)
      const { reply } = await deps.links.calls(hostId).imageSearch({ term }, soon())
      const byName = new Map([...reply.results, ...own].map((each) => [each.name, each]))
      return [...byName.values()].slice(0, limit)
    },
    async registryLogin(caller, login) {
      judge(caller, domainOf(login))
      const hostId = await hostForImages(deps, caller)
      return (await deps.links.calls(hostId).registryLogin({ auth: login }, soon())).reply
    },
    async distribution(caller, text, login) {
      const asked = nameOf(text)
      const { repo, tag } = newName(asked.repo, asked.tag)
      judge(caller, registryOf(repo))
      const hostId = await hostForImages(deps, caller)
      const source = formatImageName(repo, tag)
      return (await deps.links.calls(hostId).distribution({ source, auth: login }, soon())).reply.found
    },
  }
}

/** A pull of a caller's onto a host. */
export interface Puller {
  readonly deps: Deps
  readonly streams: OpenStreams
  readonly turns: Turns
  readonly caller: Caller
  readonly hostId: HostId
  readonly signal: AbortSignal
}

export interface PullRequest {
  readonly repo: string
  readonly tag: string
  readonly login: RegistryLogin
}

/** The progress of a pull, whose image is the project's at its end. */
export async function* pullOnto(puller: Puller, request: PullRequest): AsyncGenerator<ProgressLine> {
  yield* await openPull(puller, request)
}

async function openPull(puller: Puller, { repo, tag, login }: PullRequest): Promise<AsyncGenerator<ProgressLine>> {
  const { deps, streams, turns, caller, hostId, signal } = puller
  const name = newName(repo, tag)
  deps.rules.judge(caller, { kind: 'registry', domain: registryOf(name.repo) })
  const source = formatImageName(name.repo, name.tag)
  const engineRef = login === null ? source : privateEngineRef(caller.projectId, name.repo, name.tag.replace(':', '-'))
  const hadIt = await engineHas(deps, hostId, source)
  const open = () => deps.links.calls(hostId).imagePullFlow({ source, engineRef, auth: login }, { signal })
  const { output } = await streams.opening(caller.projectId, open, outputOf)
  const arrived = (digest: string | null) =>
    turns.take(caller.projectId, () => keepPulled(deps, caller, name, { hostId, engineRef, digest, hadIt }))
  return pulled(required(output), arrived)
}

/** Docker Hub goes by several names and an address. */
function domainOf(login: RegistryLogin): string {
  const domain = (login?.domain ?? '').replace(/^https?:\/\//i, '').replace(/\/.*$/, '')
  return /^(index\.|registry-1\.)?docker\.io$/i.test(domain) ? '' : domain
}

async function engineHas({ links }: Deps, hostId: HostId, ref: string): Promise<boolean> {
  try {
    await links.calls(hostId).imageInspect({ engineRef: ref }, soon())
    return true
  } catch (error) {
    if (error instanceof Fault && error.code === 'image.not-found') return false
    throw error
  }
}

/** Hands the progress on; before its last line, which clients take for the end, a pull that went well is the project's. */
async function* pulled(
  output: Readable,
  arrived: (digest: string | null) => Promise<void>,
): AsyncGenerator<ProgressLine> {
  let failed = false
  let digest: string | null = null
  let last: ProgressLine | null = null
  for await (const line of progressLines(output)) {
    if (last) yield last
    last = line
    failed ||= line.error !== undefined
    const told = typeof line.status === 'string' ? /^Digest: (sha256:[0-9a-f]{64})/.exec(line.status)?.[1] : undefined
    digest = told ?? digest
  }
  if (!failed) await arrived(digest)
  if (last) yield last
}

async function keepPulled(
  deps: Deps,
  caller: Caller,
  name: ImageName,
  { hostId, engineRef, digest, hadIt }: { hostId: HostId; engineRef: string; digest: string | null; hadIt: boolean },
): Promise<void> {
  const { projectId } = caller
  const { reply } = await deps.links.calls(hostId).imageInspect({ engineRef }, soon())
  const imageId = String(reply.found['Id'])
  const size = Number(reply.found['Size'] ?? 0)
  const others = await deps.store.images.withRef(hostId, engineRef)
  const isMeant = others.some((row) => row.projectId === null && row.imageId === imageId)
  const fetched = others.length > 0 ? others.some((row) => row.fetched === true) : !hadIt
  // A public name is everybody's, and so is what it means now.
  for (const { id, imageId: former } of others) {
    if (former !== null && former !== imageId) await deps.store.images.update(id, { imageId, size, digest })
  }
  if (!isMeant) await nameImage(deps, caller, name, { hostId, imageId, size, engineRef, digest, fetched })
  const id = formatImageName(name.repo, name.tag)
  deps.activity.note({ type: 'image', action: 'pull', id, projectId, attributes: { name: name.repo } })
}
