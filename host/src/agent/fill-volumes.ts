import { readdir, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join, posix } from 'node:path'
import type { Assignment } from '@gantry/model'
import type { ContainerApi } from '../engine/containers.ts'
import { EngineError, isStatus } from '../engine/engine-error.ts'
import type { CreateBody } from '../engine/engine-types.ts'
import type { Bind } from '../volumes/host-volumes.ts'
import { keyLocks } from '../volumes/key-locks.ts'
import { labels } from './labels.ts'

/** Beside what containers see of a volume, for as long as it is being filled: one that was interrupted is filled anew. */
const markName = 'filling'
/** Of Go's file modes. */
const isFolder = 2 ** 31

export type FillVolumes = (assignment: Assignment, binds: readonly Bind[], signal: AbortSignal) => Promise<void>

/**
 * Gives an empty volume what the image has at its place, owner and mode included, as Docker does, before the container is
 * made. The engine itself packs and unpacks, from one container of the image without the volume into one with it, which are
 * never started: nothing of an image is ever followed on this machine. What is left of a killed agent has no container's
 * label, so that the sweep removes it. `binds` are those of the assignment's mounts, in order.
 */
export function fillVolumes(containers: ContainerApi, deployment: string): FillVolumes {
  const locks = keyLocks()

  const helper = async (image: string, binds: readonly Bind[], signal: AbortSignal): Promise<string> => {
    const Mounts = binds.map(
      ({ source, destination }) => ({ Type: 'bind', Source: source, Target: destination, ReadOnly: false }) as const,
    )
    const body: CreateBody = {
      Image: image,
      Cmd: ['true'],
      Env: [],
      Labels: { [labels.deployment]: deployment },
      Tty: false,
      OpenStdin: false,
      StdinOnce: false,
      HostConfig: { ...nothing, NetworkMode: 'none', Mounts },
      NetworkingConfig: { EndpointsConfig: {} },
    }
    return (await containers.create('', body, signal)).Id
  }

  const copy = async (from: string, to: string, { destination }: Bind, signal: AbortSignal): Promise<void> => {
    const path = posix.normalize(destination).replace(/(?<=.)\/$/, '')
    const answer = await containers.archiveGet(from, path, signal).catch((error: unknown) => {
      // The image has nothing there.
      if (isStatus(error, 404) && !/no such container/i.test(error.message)) return null
      throw error
    })
    if (!answer) return
    if (!isFolderIn(answer.headers['x-docker-container-path-stat'])) {
      answer.body.destroy()
      return
    }
    try {
      await containers.archivePut(to, posix.dirname(path), answer.body, signal)
    } catch (error) {
      answer.body.destroy()
      if (!(error instanceof EngineError)) throw error
      throw new EngineError(400, `A volume cannot be filled with what the image has at ${path}: ${error.message}`)
    }
  }

  return async ({ imageRef, mounts }, binds, signal) => {
    const asked = mounts.flatMap((mount, index) => {
      const bind = binds[index]
      return mount.kind === 'volume' && mount.fill === true && bind ? [bind] : []
    })
    if (asked.length === 0) return
    // Nobody else may start to write while it is being filled.
    await locks.run([...new Set(asked.map(({ source }) => source))].toSorted(), async () => {
      const empty: Bind[] = []
      for (const bind of asked) if (await isEmpty(bind)) empty.push(bind)
      if (empty.length === 0) return
      const made: string[] = []
      try {
        const from = await helper(imageRef, [], signal)
        made.push(from)
        const to = await helper(imageRef, empty, signal)
        made.push(to)
        for (const bind of empty) {
          await writeFile(markOf(bind), '')
          await copy(from, to, bind, signal)
          await rm(markOf(bind), { force: true })
        }
      } finally {
        for (const id of made) await containers.remove(id).catch(() => undefined)
      }
    })
  }
}

const nothing = {
  NanoCpus: 0,
  Memory: 0,
  MemorySwap: 0,
  PidsLimit: 0,
  Privileged: false,
  RestartPolicy: { Name: 'no', MaximumRetryCount: 0 },
} as const

function markOf({ source }: Bind): string {
  return join(dirname(source), markName)
}

async function isEmpty(bind: Bind): Promise<boolean> {
  const isMarked = await stat(markOf(bind)).then(
    () => true,
    () => false,
  )
  return isMarked || (await readdir(bind.source)).length === 0
}

function isFolderIn(header: string | string[] | undefined): boolean {
  const found: unknown = JSON.parse(Buffer.from(String(header ?? ''), 'base64').toString('utf8') || '{}')
  const mode = typeof found === 'object' && found !== null && 'mode' in found ? Number(found.mode) : 0
  return mode >= isFolder
}
