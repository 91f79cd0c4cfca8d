import { posix } from 'node:path'
import {
  baseOf,
  BuildArgs,
  BuildError,
  type BuildPlan,
  configStep,
  declareMetaArg,
  expand,
  type ImageConfig,
  inShell,
  type Instruction,
  type Lookup,
  lookupIn,
  needsBuildKit,
  parseInstruction,
  shellOf,
  splitPair,
  type Stage,
  stageNamed,
  workdirOf,
} from '@gantry/dockerfile'
import { shortId } from './build-output.ts'
import type { BuildSite } from './build-site.ts'
import { copyCommand } from './copy-command.ts'
import { copyFromContext, copyFromImage } from './copy-files.ts'
import { foldersTo } from './copy-plan.ts'
import { checkDestination, copySources, hashOfSources } from './copy-sources.ts'
import type { FileTree } from './file-tree.ts'
import { type HistoryEntry, type ImageRecord, readRecord, scratch } from './image-record.ts'
import { runCommand } from './run-command.ts'

const defaultPath = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

interface StageState {
  image: ImageRecord
  config: ImageConfig
  author: string
  cmdSet: boolean
  /** Once a step was taken anew, those after it are too. */
  anew: boolean
}

/** What a step does, before it is known whether it was done before. */
interface Doing {
  /** What the history says, word for word: with the parent it decides whether the step is the same. */
  readonly command: readonly string[]
  readonly config: ImageConfig
  readonly author?: string
  readonly act: () => Promise<Acted>
}

interface Acted {
  /** After it; null: as before it. */
  readonly layers: readonly string[] | null
  /** The id of a container that people were told of; null: of none. */
  readonly container: string | null
}

/** Takes the steps of a plan, as the classic builder does and in its words. */
export class Builder {
  readonly #site: BuildSite
  readonly #plan: BuildPlan
  readonly #tree: FileTree
  readonly #args: BuildArgs
  readonly #done: ({ readonly name: string } & StageState)[] = []

  constructor(site: BuildSite, plan: BuildPlan, tree: FileTree) {
    this.#site = site
    this.#plan = plan
    this.#tree = tree
    this.#args = new BuildArgs(site.options.args.buildArgs)
  }

  /** Answers the last stage's image. Throws `BuildError` for what is the user's to mend. */
  async build(): Promise<ImageRecord> {
    const { metaArgs, stages, escape, warning } = this.#plan
    const { output } = this.#site.options
    await output.errorText(warning)
    const total = metaArgs.length + stages.reduce((sum, { steps }) => sum + steps.length + 1, 0)
    let count = 0
    const announce = async (original: string) => {
      count += 1
      await output.text(`Step ${count}/${total} : ${original}`)
      await output.text('\n')
    }
    for (const each of metaArgs) {
      await announce(each.original)
      declareMetaArg(each, escape, this.#args)
    }
    for (const stage of stages) {
      await announce(stage.from.original)
      const state = await this.#begin(stage)
      await output.text(` ---> ${shortId(state.image.id)}\n`)
      for (const step of stage.steps) {
        await announce(step.original)
        await this.#take(step, state)
        await output.text(` ---> ${shortId(state.image.id)}\n`)
      }
      await output.imageId(state.image.id)
      this.#done.push({ ...state, name: stage.name })
    }
    const unused = this.#args.unused()
    if (unused.length > 0)
      await output.text(`[Warning] One or more build-args [${unused.join(' ')}] were not consumed\n`)
    const last = this.#done.at(-1)
    if (!last || last.image.id === '') throw new BuildError('No image was generated. Is your Dockerfile empty?')
    return last.image
  }

  async #begin(stage: Stage): Promise<StageState> {
    this.#args.beginStage()
    const base = await this.#base(baseOf(stage, this.#plan.escape, this.#args))
    const env = base.config.Env ?? []
    const hasPath = env.some((each) => splitPair(each).name === 'PATH')
    const { OnBuild, ...rest } = base.config
    const config = { ...rest, Hostname: '', Domainname: '', Env: hasPath ? env : [...env, defaultPath] }
    const state = { image: base, config, author: base.author, cmdSet: false, anew: false }
    await this.#triggers(OnBuild ?? [], state)
    return state
  }

  async #triggers(triggers: readonly string[], state: StageState): Promise<void> {
    if (triggers.length === 0) return
    await this.#site.options.output.text(
      `# Executing ${triggers.length} build trigger${triggers.length > 1 ? 's' : ''}`,
    )
    await this.#site.options.output.text('\n')
    for (const trigger of triggers) await this.#take(parseInstruction(trigger), state)
  }

  async #base(name: string): Promise<ImageRecord> {
    if (name === 'scratch') return scratch()
    const index = stageNamed(this.#done, name, false)
    const stage = index === null ? undefined : this.#done[index]
    return stage ? { ...stage.image, config: stage.config } : this.#outside(name)
  }

  /** Only what control has allowed: any other name is as if there were nothing of it. */
  async #outside(name: string): Promise<ImageRecord> {
    const { engine, args, signal } = this.#site.options
    const ref = Object.hasOwn(args.images, name) ? args.images[name] : undefined
    const record = ref === undefined ? null : await readRecord(engine.builds, ref, signal)
    if (record) return record
    throw new BuildError(
      `pull access denied for ${name}, repository does not exist or may require 'docker login': denied: requested access to the resource is denied`,
    )
  }

  async #take(step: Instruction, state: StageState): Promise<void> {
    const env = state.config.Env ?? []
    const lookup = lookupIn([...env, ...this.#args.seenBy(env)])
    switch (step.name) {
      case 'RUN':
        return this.#run(step, state)
      case 'COPY':
      case 'ADD':
        return this.#copy(step, state, lookup)
      case 'WORKDIR':
        return this.#workdir(expand(step.rest, lookup, this.#plan.escape), state)
      default: {
        const { escape } = this.#plan
        const { config, author, cmdSet } = state
        const result = configStep(step, { config, author, cmdSet, lookup, escape, args: this.#args })
        if (result.note !== undefined) await this.#site.options.output.text(result.note)
        if (result.cmdSet !== undefined) state.cmdSet = result.cmdSet
        const command = [...shellOf(result.config), '#(nop) ', result.comment]
        await this.#doOnce(state, {
          command,
          config: result.config,
          ...(result.author !== undefined && { author: result.author }),
          act: () => this.#inMadeUpContainer(() => Promise.resolve(null)),
        })
      }
    }
  }

  async #run(step: Instruction, state: StageState): Promise<void> {
    const [flag] = step.flags
    if (flag !== undefined) throw needsBuildKit(`--${splitPair(flag).name}`)
    if (state.image.id === '') throw new BuildError('Please provide a source image with `from` prior to run')
    const { config, image } = state
    const argv = inShell(step.rest, config)
    const env = this.#args.seenBy(config.Env ?? [])
    const telling = env.filter((each) => !this.#args.isBackground(splitPair(each).name))
    const command = env.length === 0 ? argv : [`|${telling.length}`, ...telling, ...argv]
    await this.#doOnce(state, {
      command,
      config,
      act: () => runCommand(this.#site, image.id, { argv, env, config }),
    })
  }

  async #copy(step: Instruction, state: StageState, lookup: Lookup): Promise<void> {
    const command = copyCommand(step, lookup, this.#plan.escape)
    const { config, image } = state
    const slash = /\/\.?$/.test(command.destination) || command.destination === '.' ? '/' : ''
    const plain = posix.resolve('/', config.WorkingDir ?? '', command.destination)
    const destination = plain === '/' ? '/' : plain + slash
    const chown = command.chown === null ? '' : `--chown=${command.chown}`
    const comment = (hash: string) => `#(nop) ${command.name} ${chown}${hash} in ${command.destination} `
    const doing = (hash: string, copy: () => Promise<readonly string[]>) => {
      const act = async () => ({ layers: await copy(), container: null })
      return this.#doOnce(state, { command: [...shellOf(config), comment(hash)], config, act })
    }
    if (command.from !== null) {
      const from = await this.#source(command.from)
      const hash = `${from.id.slice(0, 19)}:${command.sources.join(',')}`
      return doing(hash, () => copyFromImage(this.#site, image, from, command, destination))
    }
    const sources = copySources(this.#tree, command.sources, command.name)
    checkDestination(sources, destination, command.name)
    const hash = hashOfSources(this.#tree, sources)
    return doing(hash, () => copyFromContext(this.#site, image, this.#tree, command, destination, sources))
  }

  async #source(name: string): Promise<ImageRecord> {
    const index = stageNamed(this.#done, name, true)
    const stage = index === null ? undefined : this.#done[index]
    if (stage) return stage.image
    try {
      return await this.#outside(name)
    } catch (error) {
      if (error instanceof BuildError) throw new BuildError(`invalid from flag value ${name}: ${error.message}`)
      throw error
    }
  }

  async #workdir(path: string, state: StageState): Promise<void> {
    const folder = workdirOf(state.config, path)
    const { image } = state
    const config = { ...state.config, WorkingDir: folder }
    const act = () =>
      this.#inMadeUpContainer(() =>
        this.#site.withFiles(image, async (files, id) => {
          const there = await files.destination(folder)
          if (there.kind === 'folder') return null
          if (there.kind === 'other') throw new BuildError(`Cannot mkdir: ${folder} is not a directory`)
          await files.write(there.base, this.#tree, foldersTo(there, this.#site.options.clock.now()))
          return this.#site.layersOf(id)
        }),
      )
    await this.#doOnce(state, { command: [...shellOf(state.config), `#(nop) WORKDIR ${folder}`], config, act })
  }

  /** Of a step that runs nothing: people see a container's id there, as they always have. */
  async #inMadeUpContainer(task: () => Promise<readonly string[] | null>): Promise<Acted> {
    const container = this.#site.madeUpId()
    await this.#site.options.output.text(` ---> Running in ${container}\n`)
    return { layers: await task(), container }
  }

  /** Takes a step, or what the same step made before. */
  async #doOnce(state: StageState, { command, config, author = state.author, act }: Doing): Promise<void> {
    const { args, cache, output } = this.#site.options
    const parent = state.image
    const ref = cache.reference(args.space, parent.id, [...command, author])
    const before = state.anew || args.noCache ? null : await this.#before(ref, parent, command)
    state.config = config
    state.author = author
    if (before) {
      await output.text(' ---> Using cache\n')
      state.image = before
      return
    }
    state.anew = true
    const { layers, container } = await act()
    const diffIds = layers ?? parent.diffIds
    const history = [...parent.history, historyEntry(this.#site.now(), command, author, diffIds, parent)]
    state.image = await this.#site.keep({ ...parent, config, author, diffIds, history }, ref, {
      ...config,
      Cmd: command,
    })
    await this.#site.clearAway()
    if (container !== null) await output.text(`Removing intermediate container ${container}\n`)
  }

  async #before(ref: string, parent: ImageRecord, command: readonly string[]): Promise<ImageRecord | null> {
    const { engine, signal } = this.#site.options
    const facts = await engine.builds.image(ref, signal)
    if (!facts) return null
    const diffIds = facts.RootFS.Layers ?? []
    const author = facts.Author ?? ''
    const history = [...parent.history, historyEntry(facts.Created, command, author, diffIds, parent)]
    return { ...parent, id: facts.Id, config: facts.Config ?? {}, author, diffIds, history }
  }
}

function historyEntry(
  created: string,
  command: readonly string[],
  author: string,
  diffIds: readonly string[],
  parent: ImageRecord,
): HistoryEntry {
  return {
    created,
    ...(author !== '' && { author }),
    created_by: command.join(' '),
    ...(diffIds.length === parent.diffIds.length && { empty_layer: true }),
  }
}
