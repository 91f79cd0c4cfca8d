import { join, posix } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { BuildError, buildPlan, imagesNamed } from '@gantry/dockerfile'
import { type Clock, Fault, type Ids, reasonOf } from '@gantry/kernel'
import { parseImageName } from '@gantry/model'
import type { CallArgs, CallReply } from '@gantry/wire'
import type { Engine } from '../engine/engine.ts'
import { EngineError, isStatus } from '../engine/engine-error.ts'
import { BuildOutput } from './build-output.ts'
import { BuildSite } from './build-site.ts'
import { Builder } from './builder.ts'
import type { FileTree } from './file-tree.ts'
import { ignoredBy } from './ignore-list.ts'
import { type BuildContext, KeptContexts } from './kept-contexts.ts'
import { StepCache } from './step-cache.ts'
import { buildLabels, isLeftOver, stepName } from './step-names.ts'

export interface ImageBuildsOptions {
  readonly engine: Engine
  readonly deployment: string
  /** The agent's own folder. */
  readonly stateDir: string
  readonly clock: Clock
  readonly ids: Ids
}

/** No Dockerfile that a person reads is longer, bytes. */
const longestDockerfile = 4 << 20

/** Builds images on this host: takes contexts in, builds them, and leaves nothing of either. */
export class ImageBuilds {
  readonly #options: ImageBuildsOptions
  readonly #contexts: KeptContexts
  readonly #cache: StepCache
  readonly #life: string

  constructor(options: ImageBuildsOptions) {
    this.#options = options
    this.#contexts = new KeptContexts(join(options.stateDir, 'builds'), options.ids)
    this.#cache = new StepCache(options.engine)
    this.#life = options.ids.hex(4)
  }

  /** Takes a context in and says which images its build needs. Throws `request.invalid` and `build.busy`. */
  async plan(
    args: CallArgs<'imageBuildPlan'>,
    input: Readable,
    signal: AbortSignal,
  ): Promise<CallReply<'imageBuildPlan'>> {
    await this.#checkEngine(signal)
    let images: string[] = []
    try {
      const contextId = await this.#contexts.add(input, signal, async (tree) => {
        images = imagesNamed(await dockerfileOf(tree, args.dockerfile), args.buildArgs, args.target)
      })
      return { contextId, images }
    } catch (error) {
      if (error instanceof BuildError) throw new Fault('request.invalid', { problem: error.message }, error)
      throw error
    }
  }

  /** The context of a plan, for one build. Throws `request.invalid` when it is not here any more. */
  take(contextId: string): BuildContext {
    const context = this.#contexts.take(contextId)
    if (context) return context
    throw new Fault('request.invalid', { problem: 'The build context is not on this host any more; send it again.' })
  }

  /**
   * Builds, telling of it in `to`, which is not ended. What the user or an engine did wrong is told there too; it rejects only
   * when the signal is aborted.
   */
  async build(
    args: CallArgs<'imageBuild'>,
    context: BuildContext,
    sandbox: string,
    to: Writable,
    signal: AbortSignal,
  ): Promise<void> {
    await using held = context
    const output = new BuildOutput(to, args.quiet, signal)
    const { tree, folder } = held
    const site = new BuildSite({
      ...this.#options,
      life: this.#life,
      cache: this.#cache,
      args,
      sandbox,
      folder,
      output,
      signal,
    })
    this.#cache.begin(args.space)
    try {
      const { dockerfile, target, labels } = args
      const plan = buildPlan(await dockerfileOf(tree, dockerfile), { target, labels })
      const { id } = await new Builder(site, plan, await withoutIgnored(tree, dockerfile)).build()
      const { repo, tag } = parseImageName(args.engineRef)
      await this.#options.engine.images.tag(id, repo, tag, signal)
      const facts = await this.#options.engine.builds.image(id, signal)
      await output.succeeded(id, facts?.Size ?? 0)
    } catch (error) {
      if (signal.aborted) throw error
      await output.failed(problemOf(error), error instanceof BuildError ? error.code : null)
    } finally {
      // What cannot be taken away now, since the engine is gone, is found when the agent starts again.
      await Promise.allSettled([site.clearAway(), this.#cache.end(args.space)])
    }
  }

  /** Removes what the steps of an agent before this one left. Those of builds under way stay. */
  async clear(signal: AbortSignal): Promise<void> {
    const { engine, deployment } = this.#options
    await this.#contexts.clear()
    const containers = await engine.builds.named([stepName(deployment, '')], signal)
    for (const { Id, Names } of containers) {
      if (Names.some((name) => isLeftOver(name, deployment, this.#life))) await engine.containers.remove(Id, signal)
    }
    const filters = { label: [`${buildLabels.deployment}=${deployment}`], dangling: ['true'] }
    for (const { Id, Labels } of await engine.builds.images(filters, signal)) {
      if (Labels?.[buildLabels.build]?.startsWith(this.#life)) continue
      await engine.images.remove(Id, signal).catch((error: unknown) => {
        if (!isStatus(error, 404, 409)) throw error
      })
    }
  }

  /** Steps stand on images whose layers are known to the engine by their content alone. */
  async #checkEngine(signal: AbortSignal): Promise<void> {
    const { engine } = this.#options
    const feature = 'Building images'
    if (await engine.isPodman()) {
      throw new Fault('request.unsupported', { feature, reason: 'the engine of this host is Podman' })
    }
    if (await engine.builds.usesSnapshotter(signal)) {
      const reason = 'the engine of this host keeps its images in containerd; its "containerd-snapshotter" must be off'
      throw new Fault('request.unsupported', { feature, reason })
    }
  }

  close(): Promise<void> {
    return this.#contexts.close()
  }
}

/** Clients send the Dockerfile and the list of what is ignored though they may be ignored themselves: only to be read. */
async function withoutIgnored(tree: FileTree, dockerfile: string): Promise<FileTree> {
  const list = tree.get('.dockerignore')
  if (list?.kind !== 'file' || list.size > longestDockerfile) return tree
  const ignored = ignoredBy((await buffer(tree.read(list))).toString('utf8'))
  const name = posix.normalize(`/${dockerfile}`).slice(1)
  return tree.without([name, '.dockerignore'].filter(ignored))
}

async function dockerfileOf(tree: FileTree, name: string): Promise<string> {
  const path = tree.resolve(posix.normalize(`/${name}`))
  const entry = path === null ? undefined : tree.get(path)
  if (entry?.kind !== 'file') throw new BuildError(`Cannot locate specified Dockerfile: ${name}`)
  if (entry.size === 0) throw new BuildError(`the Dockerfile (${name}) cannot be empty`)
  if (entry.size > longestDockerfile) throw new BuildError(`the Dockerfile (${name}) is too long`)
  return (await buffer(tree.read(entry))).toString('utf8')
}

/** A full disk of the host's or a path of its own is not for the user to read. */
function problemOf(error: unknown): string {
  if (error instanceof BuildError || error instanceof EngineError) return error.message
  if (error instanceof Error && 'syscall' in error)
    return 'The host could not keep the files of this build; try again later.'
  return reasonOf(error)
}
