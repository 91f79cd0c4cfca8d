import type { Readable } from 'node:stream'
import type { Turns } from '@gantry/kernel'
import type { AgentCalls } from '@gantry/wire'
import type { ImageName } from '../../catalogue.ts'
import type { Deps } from '../../deps.ts'
import type { BuildRequest, EngineImages } from '../../engine-image-verbs.ts'
import { spaceOf } from '../images-of-project.ts'
import { outputOf, required } from '../interact.ts'
import type { OpenStreams } from '../open-streams.ts'
import { type BuildSite, imageFor } from './build-images.ts'
import { endSandbox, startSandbox } from './build-sandbox.ts'
import { hostForImages } from './image-host.ts'
import { nameOf, newName } from './names.ts'
import { addPending, finishImage, giveUp, newEngineRef } from './pending-images.ts'
import { progressLines, progressOf } from './progress-lines.ts'

/** How long a host may read a context before it says what the build needs. Milliseconds. */
const planMs = 30 * 60_000

interface Build extends BuildSite {
  readonly streams: OpenStreams
  readonly calls: AgentCalls
  readonly names: readonly ImageName[]
}

/** From a context and its Dockerfile, in containers confined as the project's own are. */
export function buildVerb(deps: Deps, streams: OpenStreams, turns: Turns): Pick<EngineImages, 'build'> {
  return {
    async build(caller, context, request, signal) {
      const names = request.names.map((text) => {
        const { repo, tag } = nameOf(text)
        return newName(repo, tag)
      })
      const hostId = await hostForImages(deps)
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
  const { deps, caller, hostId, calls, request, signal } = build
  const images: Record<string, string> = {}
  for (const name of needed) images[name] = yield* imageFor(build, name)
  const host = (await deps.store.hosts.get(hostId))?.name ?? hostId
  const { cpu, memory, extraHosts, network, labels, noCache, quiet, shmSize } = request
  const sandbox = await startSandbox(deps, caller, { host, cpu, memory, extraHosts, network }, signal)
  try {
    const space = spaceOf(caller.projectId)
    const engineRef = newEngineRef(deps, caller)
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

async function* named(build: Build, engineRef: string, output: Readable): AsyncGenerator<object> {
  for await (const line of progressLines(output)) {
    const { built: made } = line as { readonly built?: unknown }
    if (made === undefined) yield line
    else yield* kept(build, engineRef)
  }
}

/** Tells of names as they are given; the first one is written down before the host gives what it made. */
async function* kept(
  { deps, caller, turns, hostId, names, request }: Build,
  engineRef: string,
): AsyncGenerator<object> {
  const [first = null, ...others] = names
  const pending = { hostId, engineRef }
  const begun = await deps.store.transaction((tables) => addPending(deps, tables, caller, pending, first))
  const image = await turns
    .take(caller.projectId, () => finishImage(deps, caller, begun, first))
    .catch(async (error: unknown) => {
      await giveUp(deps, begun, error)
      throw error
    })
  const tell = ({ repo, tag }: ImageName) => (request.quiet ? [] : [{ stream: `Successfully tagged ${repo}:${tag}\n` }])
  if (first) yield* tell(first)
  for (const name of others) {
    await turns.take(caller.projectId, () => deps.catalogue.nameImage(caller, name, image.digest))
    yield* tell(name)
  }
}
