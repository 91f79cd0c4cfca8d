import { type Assignment, type EngineContainer, parseImageName, sandboxImage, type Step } from '@gantry/model'
import type { Engine } from '../engine/engine.ts'
import { EngineError, isStatus } from '../engine/engine-error.ts'
import { sandboxProgram, sandboxTar } from '../engine/sandbox-image.ts'
import type { HostImages } from '../images/host-images.ts'
import { isCopyName } from '../images/image-names.ts'
import type { Networking, Wiring } from '../network/wiring.ts'
import type { HostVolumes } from '../volumes/host-volumes.ts'
import { containerImages } from './container-images.ts'
import { createBody, isPrivileged, limitsOf, sharedMode } from './create-body.ts'
import { justCreated } from './engine-container.ts'
import { fillVolumes } from './fill-volumes.ts'
import { engineName } from './labels.ts'
import type { Remakings } from './remakings.ts'
import { tuningBody } from './tuning-body.ts'
import { blamesStrays, killStrays } from './stray-processes.ts'

/** The steps that change something in the engine. */
export type Deed = Exclude<Step, { readonly kind: 'settle' | 'fail' }>

export interface ActContext {
  readonly engine: Engine
  readonly images: HostImages
  /** How containers of this engine get into their networks. */
  readonly wiring: () => Promise<Wiring>
  readonly volumes: HostVolumes
  readonly deployment: string
  readonly allowPrivileged: boolean
  readonly remaking: Remakings
}

/** What is known of the container after a step. */
export type Outcome =
  /** Look it up before deciding anything. */
  | { readonly know: 'look' }
  /** The engine holds nothing of it. */
  | { readonly know: 'absent' }
  /** It was made; nothing else is known, or needed to start it. */
  | { readonly know: 'created'; readonly container: EngineContainer }
  | { readonly know: 'image'; readonly image: 'present' | 'absent' }

export type Acts = {
  readonly [K in Deed['kind']]: (
    step: Extract<Deed, { readonly kind: K }>,
    assignment: Assignment,
    signal: AbortSignal,
    /** What was last seen of it. */
    engine: EngineContainer | null,
  ) => Promise<Outcome>
}

const look: Outcome = { know: 'look' }

/** One act for each step. Each may be repeated after a crash at any point; they reject with the engine's own errors. */
export function actsOn(context: ActContext): Acts {
  const { engine, wiring, volumes, deployment, allowPrivileged, remaking } = context
  const { containers, images } = engine
  const fill = fillVolumes(containers, deployment)
  const imagesOf = containerImages(context.images, images)

  const networking = async (assignment: Assignment, signal: AbortSignal): Promise<Networking> => {
    const { sandbox } = assignment
    if (sandbox !== null) return { mode: sharedMode(sandbox), endpoints: {}, dns: [], plugged: [] }
    return (await wiring()).prepare(assignment, signal)
  }
  const create = async (assignment: Assignment, signal: AbortSignal): Promise<Outcome> => {
    const [net, binds] = await Promise.all([networking(assignment, signal), volumes.prepare(assignment, signal)])
    try {
      const named = imagesOf.named(assignment)
      const body = createBody(named, deployment, { ...net, binds })
      await fill(named, binds, signal)
      const { Id } = await containers.create(engineName(assignment.id), body, signal)
      remaking.end(assignment.id)
      return { know: 'created', container: justCreated(assignment, Id, net.plugged) }
    } catch (error) {
      if (isStatus(error, 404) && /no such image|image not known/i.test(error.message)) {
        return { know: 'image', image: 'absent' }
      }
      throw error
    }
  }
  /** Once more, if the engine misses what can be made good. */
  const repaired = async <T>(assignment: Assignment, signal: AbortSignal, task: () => Promise<T>): Promise<T> => {
    try {
      return await task()
    } catch (error) {
      if (!(await (await wiring()).repair(assignment, error, signal))) throw error
      return task()
    }
  }
  const start = async (assignment: Assignment, signal: AbortSignal): Promise<void> => {
    const ready = assignment.sandbox === null && (await wiring()).ready(assignment, signal)
    await Promise.all([ready, volumes.prepare(assignment, signal)])
    try {
      await repaired(assignment, signal, () => containers.start(engineName(assignment.id), signal))
    } catch (error) {
      // Its sandbox is being started again, too.
      if (isStatus(error, 409) && /non.running container/i.test(error.message)) {
        throw new EngineError(503, error.message)
      }
      throw error
    }
  }
  /** After a start that a killed engine has forgotten: makes the way clear for the next try. */
  const clear = async (assignment: Assignment, seen: EngineContainer, signal: AbortSignal): Promise<void> => {
    await killStrays(seen.engineId)
    // What has run keeps its files and must wait until the engine has tidied up; what never has is made anew.
    if (seen.startedAt !== null) return
    remaking.begin(assignment.id)
    await containers.remove(engineName(assignment.id), signal)
    await repaired(assignment, signal, () => create(assignment, signal))
  }

  return {
    pull: async (_step, assignment, signal) => {
      const { repo, tag } = parseImageName(sandboxImage)
      const isSandbox = assignment.imageRef === sandboxImage
      if (isSandbox) await images.load(repo, tag, sandboxTar(), `/${sandboxProgram}`, signal)
      else await imagesOf.get(assignment, signal)
      return { know: 'image', image: 'present' }
    },
    create: async (_step, assignment, signal) => {
      if (isPrivileged(assignment.spec) && !allowPrivileged) {
        throw new EngineError(403, 'privileged containers are not allowed on this host')
      }
      if (isCopyName(assignment.imageRef)) throw new EngineError(404, `there is no image ${assignment.imageRef}`)
      // Podman's compatible API would pass over the name in silence.
      if (assignment.spec.runtime !== null && (await engine.isPodman())) {
        throw new EngineError(400, `unknown runtime specified ${assignment.spec.runtime}`)
      }
      try {
        return await repaired(assignment, signal, () => create(assignment, signal))
      } catch (error) {
        // An earlier try got through without our hearing of it.
        // Docker says 409, Podman 500.
        if (isStatus(error, 409, 500) && /name .*already in use/.test(error.message)) return look
        throw error
      }
    },
    update: async (_step, { id, spec }, signal) => {
      await containers.update(engineName(id), { ...limitsOf(spec), ...(spec.options && tuningBody(spec)) }, signal)
      return look
    },
    connect: async ({ portId }, assignment, signal) => {
      const nic = assignment.nics.find((each) => each.portId === portId)
      const wires = await wiring()
      if (nic) await repaired(assignment, signal, () => wires.connect(assignment, nic, signal))
      return look
    },
    disconnect: async ({ portId }, assignment, signal) => {
      await (await wiring()).disconnect(assignment, portId, signal)
      return look
    },
    start: async (_step, assignment, signal, engine) => {
      try {
        await start(assignment, signal)
      } catch (error) {
        if (engine && error instanceof EngineError && blamesStrays(error.message))
          await clear(assignment, engine, signal)
        throw error
      }
      return look
    },
    stop: async ({ graceSeconds }, { id }, signal) => {
      await containers.stop(engineName(id), graceSeconds, signal)
      return look
    },
    pause: async (_step, { id }, signal) => {
      await containers.pause(engineName(id), signal)
      return look
    },
    unpause: async (_step, { id }, signal) => {
      await containers.unpause(engineName(id), signal)
      return look
    },
    remove: async ({ why }, { id }, signal, engine) => {
      if (engine?.state === 'created' || engine?.state === 'exited') await killStrays(engine.engineId)
      try {
        await containers.remove(engineName(id), signal)
      } catch (error) {
        if (!isStatus(error, 409) || !/already in progress/.test(error.message)) throw error
        await containers.waitRemoved(engineName(id), signal)
      }
      if (why !== 'replaced') {
        await (await wiring()).release(id)
        await volumes.release(id)
      }
      return { know: 'absent' }
    },
  }
}

type DeedOf<K extends Deed['kind']> = { [P in K]: Extract<Deed, { readonly kind: P }> & { readonly kind: P } }[K]

/** Takes this step. */
export function perform<K extends Deed['kind']>(
  acts: Acts,
  step: DeedOf<K>,
  ...rest: [assignment: Assignment, signal: AbortSignal, engine: EngineContainer | null]
): Promise<Outcome> {
  const act: Acts[K] = acts[step.kind]
  return act(step, ...rest)
}
