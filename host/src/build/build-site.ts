import type { ImageConfig } from '@gantry/dockerfile'
import type { Clock, Ids } from '@gantry/kernel'
import type { CallArgs } from '@gantry/wire'
import { limitsOf } from '../agent/create-body.ts'
import type { Engine } from '../engine/engine.ts'
import { isStatus } from '../engine/engine-error.ts'
import type { BuildOutput } from './build-output.ts'
import { ContainerFiles } from './container-files.ts'
import { type ImageRecord, writeImage } from './image-record.ts'
import type { StepCache } from './step-cache.ts'
import { buildLabels, stepName } from './step-names.ts'

export interface SiteOptions {
  readonly engine: Engine
  readonly cache: StepCache
  readonly deployment: string
  /** Of this agent's life, 8 hex digits: what carries another one was left by an agent before. */
  readonly life: string
  readonly clock: Clock
  readonly ids: Ids
  readonly args: CallArgs<'imageBuild'>
  /** The engine's id of the build's sandbox. */
  readonly sandbox: string
  /** A folder of the build's own. */
  readonly folder: string
  readonly output: BuildOutput
  readonly signal: AbortSignal
}

/** Enough for any compiler, and it stops a fork bomb. */
const pidsLimit = 4096

/** One build's place on the engine: makes its containers and images, and takes away those that are only for a while. */
export class BuildSite {
  readonly options: SiteOptions
  readonly #buildId: string
  readonly #passing = new Set<string>()

  constructor(options: SiteOptions) {
    this.options = options
    this.#buildId = options.life + options.ids.hex(8)
  }

  /** Made up for steps that need no container; people see it where they are used to see one. */
  madeUpId(): string {
    return this.options.ids.hex(6)
  }

  /** Runs `task` with a container, and removes that whatever happens. */
  async withContainer<T>(image: string, body: object, task: (id: string) => Promise<T>): Promise<T> {
    const { engine, deployment, life, ids } = this.options
    this.options.signal.throwIfAborted()
    const name = stepName(deployment, life + ids.hex(4))
    try {
      // Not with the signal: an engine finishes what it was asked for, after our removal then.
      const { Id } = await engine.builds.create(name, { ...body, Image: image })
      return await task(Id)
    } finally {
      await engine.containers.remove(name)
    }
  }

  /** As `withContainer`, of an image with these layers and nothing else: no volume hides what is copied. Never started. */
  async withFiles<T>(record: ImageRecord, task: (files: ContainerFiles, id: string) => Promise<T>): Promise<T> {
    const config = { Labels: this.#labels }
    const bare = { ...record, author: '', config, history: [] }
    const image = await this.#passingImage(() => this.#write(bare, null, config))
    const body = { Cmd: ['none'], HostConfig: { NetworkMode: 'none', LogConfig: { Type: 'none' } } }
    try {
      return await this.withContainer(image, body, (id) =>
        task(new ContainerFiles(this.options.engine, id, this.options.signal), id),
      )
    } finally {
      await this.#forget(image)
    }
  }

  /** How a command of the user's is held. */
  hostConfig(): object {
    const { args, sandbox } = this.options
    return {
      ...limitsOf(args),
      PidsLimit: pidsLimit,
      NetworkMode: `container:${sandbox}`,
      IpcMode: 'private',
      SecurityOpt: ['no-new-privileges'],
      CapDrop: ['NET_RAW'],
      ...(args.shmSize > 0 && { ShmSize: args.shmSize }),
      LogConfig: { Type: 'none' },
      RestartPolicy: { Name: 'no', MaximumRetryCount: 0 },
    }
  }

  /** The layers of the image that `container` would become. */
  async layersOf(container: string): Promise<readonly string[]> {
    const { engine, signal } = this.options
    const image = await this.#passingImage(() => engine.builds.commit(container, this.#labels))
    const facts = await engine.builds.image(image, signal)
    return facts?.RootFS.Layers ?? []
  }

  /** An image that stays, under a reference. Answers what became of the record. */
  async keep(record: Omit<ImageRecord, 'id'>, ref: string, containerConfig: ImageConfig): Promise<ImageRecord> {
    return { ...record, id: await this.#write(record, ref, containerConfig) }
  }

  /** Now the layers are held by what was kept. */
  async clearAway(): Promise<void> {
    for (const image of this.#passing) await this.#forget(image)
  }

  now(): string {
    return new Date(this.options.clock.now()).toISOString()
  }

  get #labels(): Record<string, string> {
    return { [buildLabels.deployment]: this.options.deployment, [buildLabels.build]: this.#buildId }
  }

  #write(record: Omit<ImageRecord, 'id'>, ref: string | null, containerConfig: ImageConfig): Promise<string> {
    const made = { ref, created: this.now(), containerConfig }
    return writeImage(this.options.engine.builds, record, made)
  }

  async #passingImage(make: () => Promise<string>): Promise<string> {
    const image = await make()
    this.#passing.add(image)
    return image
  }

  async #forget(image: string): Promise<void> {
    await this.options.engine.images.remove(image).catch((error: unknown) => {
      if (!isStatus(error, 404, 409)) throw error
    })
    this.#passing.delete(image)
  }
}
