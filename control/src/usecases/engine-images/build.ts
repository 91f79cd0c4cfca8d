import type { Readable } from 'node:stream'
import { Fault } from '@gantry/kernel'
import { type Caller, type HostId, namelessRefIn, registryOf } from '@gantry/model'
import type { AgentCalls } from '@gantry/wire'
import type { Deps } from '../../deps.ts'
import type { BuildRequest, EngineImages } from '../../engine-image-verbs.ts'
import { privateEngineRef, spaceOf } from '../images-of-project.ts'
import { outputOf, required } from '../interact.ts'
import type { OpenStreams } from '../open-streams.ts'
import { endSandbox, startSandbox } from './build-sandbox.ts'
import { catalogueOf, findImage, type KnownImage } from './catalogue.ts'
import { hostForImages } from './image-host.ts'
import { nameImage, soon } from './image-rows.ts'
import { type ImageName, nameOf, newName } from './names.ts'
import { progressLines, progressOf } from './progress-lines.ts'
import { pullOnto } from './registry.ts'
import type { Turns } from './turns.ts'

/** How long a host may read a context before it says what the build needs. Milliseconds. */
const planMs = 30 * 60_000

interface Build {
  readonly deps: Deps
  readonly caller: Caller
  readonly streams: OpenStreams
  readonly turns: Turns
  readonly hostId: HostId
  readonly calls: AgentCalls
  readonly request: BuildRequest
  readonly names: readonly ImageName[]
  readonly signal: AbortSignal
}

/** From a context and its Dockerfile, in containers confined as the project's own are. */
export function buildVerb(deps: Deps, streams: OpenStreams, turns: Turns): Pick<EngineImages, 'build'> {
  return {
    async build(caller, context, request, signal) {
      const names = request.names.map((text) => {
        const { repo, tag } = nameOf(text)
        return newName(repo, tag)
      })
      const hostId = await hostForImages(deps, caller)
      const calls = deps.links.calls(hostId)
      const args = planArgs(request)
      const limit = AbortSignal.any([signal, AbortSignal.timeout(planMs)])
      const plan = () => calls.imageBuildPlan(args, { signal: limit, input: context })
      const { reply } = await streams.opening(caller.projectId, plan, outputOf)
      const build = { deps, caller, streams, turns, hostId, calls, request, names, signal }
      return progressOf(built(build, reply.contextId, reply.images))
    },
  }
}

function planArgs({ dockerfile, target, buildArgs }: BuildRequest) {
  return { dockerfile, target, buildArgs: { ...buildArgs } }
}

async function* built(build: Build, contextId: string, needed: readonly string[]): AsyncGenerator<object> {
  const { deps, caller, hostId, calls, request, names, signal } = build
  const images: Record<string, string> = {}
  for (const name of needed) images[name] = yield* imageFor(build, name)
  const host = (await deps.store.hosts.get(hostId))?.name ?? hostId
  const { cpu, memory, extraHosts, network, labels, noCache, quiet, shmSize } = request
  const sandbox = await startSandbox(deps, caller, { host, cpu, memory, extraHosts, network }, signal)
  try {
    const space = spaceOf(caller.projectId)
    const [first] = names
    const engineRef = first
      ? privateEngineRef(caller.projectId, first.repo, first.tag)
      : namelessRefIn(space, deps.ids.hex(6))
    const args = {
      ...planArgs(request),
      contextId,
      sandbox: sandbox.id,
      space,
      engineRef,
      labels: { ...labels },
      noCache,
      quiet,
      cpu: sandbox.spec.cpu,
      memory: sandbox.spec.memory,
      shmSize,
      images,
    }
    const open = () => calls.imageBuild(args, { signal })
    const { output } = await build.streams.opening(caller.projectId, open, outputOf)
    yield* named(build, engineRef, required(output))
  } finally {
    await endSandbox(deps, caller, sandbox.id)
  }
}

/** What a name in a Dockerfile means: what the project has of it, else what the registry has. */
async function* imageFor(build: Build, text: string): AsyncGenerator<object, string> {
  const { deps, caller, hostId, request } = build
  const known = await findKnown(build, text)
  const isOwn = known !== null && known.own.length > 0
  if (known?.hostId === hostId && (isOwn || !request.pull)) return known.imageId
  if (isOwn && known.hostId !== hostId) {
    throw new Fault('request.unsupported', {
      feature: `Building from ${text}`,
      reason: "it is on another host than the project's newest images",
    })
  }
  const name = nameOf(text)
  const { repo, tag } = newName(name.repo, name.tag)
  const login = request.logins.find(({ domain }) => domain === registryOf(repo)) ?? null
  for await (const line of pullOnto(build, { repo, tag, login })) {
    if (typeof line['error'] === 'string') throw new Fault('registry.refused', { reason: line['error'] })
    yield line
  }
  return findImage(await catalogueOf(deps.store, caller), text).image.imageId
}

async function findKnown({ deps, caller }: Build, text: string): Promise<KnownImage | null> {
  try {
    return findImage(await catalogueOf(deps.store, caller), text).image
  } catch (error) {
    if (error instanceof Fault && error.code === 'image.not-found') return null
    throw error
  }
}

async function* named(build: Build, engineRef: string, output: Readable): AsyncGenerator<object> {
  const { deps, caller, turns, hostId, calls, names, request } = build
  const { projectId } = caller
  for await (const line of progressLines(output)) {
    const { built: made } = line as { readonly built?: { readonly imageId: string; readonly size: number } }
    if (!made) {
      yield line
      continue
    }
    const { imageId, size } = made
    if (names.length === 0) {
      await turns.take(projectId, () => nameImage(deps, caller, null, { hostId, imageId, size, engineRef }))
    }
    for (const name of names) {
      const ref = privateEngineRef(projectId, name.repo, name.tag)
      await turns.take(projectId, async () => {
        if (ref !== engineRef) await calls.imageTag({ engineRef: imageId, as: ref }, soon())
        await nameImage(deps, caller, name, { hostId, imageId, size, engineRef: ref })
      })
      if (!request.quiet) yield { stream: `Successfully tagged ${name.repo}:${name.tag}\n` }
    }
  }
}
