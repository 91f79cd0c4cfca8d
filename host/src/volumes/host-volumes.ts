import { mkdir, realpath } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { backoff, type Clock, limiter, reasonOf } from '@gantry/kernel'
import type { Assignment, ContainerId, Mount, VolumePlan, VolumeReport } from '@gantry/model'
import type { HostLog } from '../agent/host-log.ts'
import { EngineError } from '../engine/engine-error.ts'
import type { AttachedVolumes } from './attached/attached-volumes.ts'
import { attachedVolumes } from './attached/create-attached.ts'
import { MountedElsewhere } from './attached/owner-file.ts'
import { diskImages } from './disk-images.ts'
import { growth } from './growth.ts'
import { type Holds, openHolds } from './holds.ts'
import { type KeyLocks, keyLocks } from './key-locks.ts'
import { type PackedVolumes, packedVolumes } from './packed-volumes.ts'
import { goingSentence, isConnected, planBoard, type RemotePlan } from './plan-board.ts'
import { problemSentence } from './problem-sentence.ts'
import { programsUnder } from './run-program.ts'
import { dataFolder, openStateFolders } from './state-folders.ts'
import { type VolumeMounts, volumeMounts } from './volume-mounts.ts'
import { type VolumeStore, volumeStore } from './volume-store.ts'

/** One bind mount for the engine. */
export interface Bind {
  /** On this machine. Exists only while what is behind it is mounted: an engine must refuse it otherwise, not make a folder. */
  readonly source: string
  readonly destination: string
  readonly readOnly: boolean
}

/** The volumes and snapshots whose data is on this host, and what containers mount of them. */
export interface HostVolumes extends PackedVolumes {
  /** The newest plan of one volume or snapshot; carried out in the background and then reported. Repeating it is harmless. */
  take(plan: VolumePlan): void
  /**
   * Mounts what a container needs and writes its files; repeatable, and quick when all is there. Called before the engine
   * creates and before it starts the container. Rejects with an `EngineError` whose message is for the user.
   */
  prepare(assignment: Assignment, signal: AbortSignal): Promise<Bind[]>
  /**
   * Unmounts and removes what only this container held. Repeatable. Data of volumes stays. Rejects with an `EngineError` while
   * something on the host has a volume's folder open; what could not be given back is still `held` then.
   */
  release(id: ContainerId): Promise<void>
  /** Containers that something is held for, on disk or in memory: for the sweep. */
  held(): Promise<ContainerId[]>
  /** What a service that keeps volumes must know of this machine (`connector` of an attachment). */
  connector(): Promise<Readonly<Record<string, unknown>>>
}

export interface HostVolumesOptions {
  /** The agent's own folder; everything is below it. No other agent may use it. */
  readonly stateDir: string
  readonly log: HostLog
  readonly clock: Clock
  /** What storages are told this machine is called, and its address for them; found out unless told. */
  readonly hostName?: string
  readonly storageAddress?: string
  /** Called once for each plan that was carried out or given up. */
  readonly report: (report: VolumeReport) => void
  /** Ends the work; what is mounted stays so. */
  readonly signal: AbortSignal
}

interface Parts {
  readonly holds: Holds
  readonly mounts: VolumeMounts
  readonly store: VolumeStore
  readonly packed: PackedVolumes
  readonly attached: AttachedVolumes
  /** Below it those of other services are mounted. */
  readonly points: string
}

/**
 * How long a container waits for a volume that another machine has mounted. Milliseconds. That one's agent may be about to let go of it,
 * or, where the machine is off, the storage will: an NFS server 90 seconds after it last heard of it.
 */
const freeMs = 110_000

/** Volumes as files on this machine's disk, mounted through loop devices, and those that other services keep. */
export function hostVolumes(options: HostVolumesOptions): HostVolumes {
  const { log, clock, report, signal } = options
  const locks = keyLocks()
  const mounting = limiter(8)
  const parts = open(options, locks)
  // Every use of it tells; nobody else needs to hear of it.
  parts.catch(() => undefined)

  const board = planBoard({
    locks,
    log,
    clock,
    signal,
    report,
    ensure: async (plan, signal) => (await parts).store.ensure(plan, signal),
    ensureRemote: async (plan, signal) => {
      if (!(await parts).holds.isHeld(plan.id)) return false
      await mountRemote(plan, signal)
      return true
    },
    remove: async (plan) => {
      const { holds, store, attached } = await parts
      if (holds.isHeld(plan.id)) return false
      // The data of a remote one is not ours to remove.
      await (plan.remote ? attached.unmount(plan.id) : store.remove(plan))
      return true
    },
  })

  const mountRemote = async ({ id, size, remote }: RemotePlan, waiting: AbortSignal): Promise<string> => {
    const { attached, points } = await parts
    const point = join(points, id, dataFolder)
    await attached.mount({ id, size, point, covered: true, ...remote }, waiting)
    return point
  }

  const told = new WeakSet<VolumePlan>()
  /** For a container, and told: where it is mounted, the service that keeps it must know. */
  const mountReporting = async (plan: RemotePlan, waiting: AbortSignal): Promise<string> => {
    const { kind, id } = plan
    try {
      const point = await mountRemote(plan, AbortSignal.any([waiting, signal]))
      if (!told.has(plan)) report({ kind, id, state: 'available', reason: '' })
      told.add(plan)
      return point
    } catch (error) {
      if (!waiting.aborted && !signal.aborted) report({ kind, id, state: 'error', reason: problemSentence(error) })
      throw error
    }
  }

  const mount = async (id: string, waiting: AbortSignal): Promise<string> => {
    const { store } = await parts
    return locks.run([id], async () => {
      const plan = board.planOf(id)
      if (plan === undefined || plan.gone) throw new Error(plan ? goingSentence(plan) : 'It is not on this host.')
      if (plan.remote === undefined) return mounting(() => store.mount(id))
      // A plan without one has come since this one was waited for.
      if (!isConnected(plan)) throw new Error('The storage has not let the host at it yet.')
      return mounting(() => mountReporting(plan, waiting))
    })
  }

  const mountWhenFree = async (id: string, waiting: AbortSignal): Promise<string> => {
    const until = clock.now() + freeMs
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await mount(id, waiting)
      } catch (error) {
        if (!(error instanceof MountedElsewhere) || clock.now() >= until) throw error
        if (attempt === 0) log.warn({ volume: id, reason: error.message }, 'volume waited for')
        await backoff(attempt, { baseMs: 500, maxMs: 4000 }, waiting)
      }
    }
  }

  /** The volume is named: a container may have several. */
  const blaming = async <T>(id: string, task: Promise<T>, waiting: AbortSignal): Promise<T> => {
    try {
      return await task
    } catch (error) {
      waiting.throwIfAborted()
      throw new EngineError(503, `Volume ${id} cannot be mounted: ${problemSentence(error)}`)
    }
  }

  const bindOf = async (container: ContainerId, wanted: Mount, index: number, waiting: AbortSignal): Promise<Bind> => {
    const { destination } = wanted
    if (wanted.kind === 'volume') {
      const source = await blaming(wanted.volumeId, mountWhenFree(wanted.volumeId, waiting), waiting)
      return { source, destination, readOnly: wanted.readOnly }
    }
    const { holds } = await parts
    try {
      const source = await holds.file(container, index, Buffer.from(wanted.content, 'base64'))
      return { source, destination, readOnly: false }
    } catch (error) {
      throw new EngineError(503, `The file for ${destination} could not be written: ${problemSentence(error)}`)
    }
  }

  return {
    take: (plan) => {
      // Names of files are made of it.
      if (/^[\w-]+$/.test(plan.id) && /^[\w-]+$/.test(plan.source ?? 'none')) board.take(plan)
      else log.warn({ [plan.kind]: plan.id }, 'volume plan with an impossible id passed over')
    },
    prepare: async ({ id, mounts }, waiting) => {
      if (mounts.length === 0) return []
      for (const { destination } of mounts) checkDestination(destination)
      const volumes = [...new Set(mounts.flatMap((mount) => (mount.kind === 'volume' ? [mount.volumeId] : [])))]
      await Promise.all(volumes.map((volume) => blaming(volume, board.available(volume, waiting), waiting)))
      return locks.run([keyOf(id)], async () => {
        waiting.throwIfAborted()
        const { holds } = await parts
        await holds.add(id, volumes).catch((error: unknown) => {
          throw new EngineError(503, `The host's records could not be written: ${problemSentence(error)}`)
        })
        const binds = mounts.map((mount, index) => bindOf(id, mount, index, waiting))
        // None may still be under way when a release is let in.
        await Promise.allSettled(binds)
        return Promise.all(binds)
      })
    },
    release: (id) =>
      locks.run([keyOf(id)], async () => {
        const { holds, mounts, attached } = await parts
        const volumes = holds.volumesOf(id)
        for (const volume of volumes) {
          await locks.run([volume], async () => {
            if (holds.isHeld(volume, id)) return
            const gone = mounts.unmount(volume).then(() => attached.unmount(volume))
            await gone.catch((error: unknown) => {
              throw new EngineError(503, `Volume ${volume} cannot be unmounted: ${problemSentence(error)}`)
            })
          })
        }
        await holds.forget(id)
        board.letGo(volumes)
      }),
    held: async () => (await parts).holds.containers(),
    connector: async () => (await parts).attached.connector(),
    read: async (id, waiting) => (await parts).packed.read(id, waiting),
    write: async (volume, input, waiting) => (await parts).packed.write(volume, input, waiting),
  }
}

/** Takes up where an agent before us was stopped or killed. */
async function open(options: HostVolumesOptions, locks: KeyLocks): Promise<Parts> {
  const { stateDir, log, hostName, storageAddress } = options
  await mkdir(stateDir, { recursive: true })
  // The kernel tells mount points with every symbolic link followed.
  const root = await realpath(stateDir)
  const programs = programsUnder(join(root, 'volume-programs.lock'))
  await programs.allEnded()
  const folders = await openStateFolders(root)
  const holds = await openHolds(folders.held)
  const mounts = volumeMounts(folders, programs)
  for (const id of await mounts.list()) {
    try {
      await mounts.thaw(id)
      if (!holds.isHeld(id)) await mounts.unmount(id)
    } catch (error) {
      log.warn({ volume: id, reason: reasonOf(error) }, 'volume left mounted')
    }
  }
  const remote = join(root, 'attached')
  const attached = attachedVolumes({
    folder: remote,
    programs,
    log,
    ...(hostName !== undefined && { host: hostName }),
    ...(storageAddress !== undefined && { address: storageAddress }),
  })
  for (const id of await attached.list()) {
    if (holds.isHeld(id)) continue
    await attached.unmount(id).catch((error: unknown) => {
      log.warn({ volume: id, reason: problemSentence(error) }, 'volume left attached')
    })
  }
  const images = diskImages(folders, programs)
  const store = volumeStore({ folders, images, mounts, growth: growth({ mounts, images, programs }) })
  return {
    holds,
    mounts,
    store,
    packed: packedVolumes({ folders, images, mounts, locks }),
    attached,
    points: join(remote, 'mounts'),
  }
}

/** Distinct from the keys of volumes, which are taken after it. */
function keyOf(container: ContainerId): string {
  return `container ${container}`
}

/** The façades have checked already; on the host it matters most. */
function checkDestination(destination: string): void {
  const parts = destination.split('/').filter((part) => part !== '' && part !== '.')
  if (isAbsolute(destination) && parts.length > 0 && !parts.includes('..') && !destination.includes('\0')) return
  throw new EngineError(
    400,
    `A mount cannot be at ${JSON.stringify(destination)}; it must be an absolute path without "..".`,
  )
}
