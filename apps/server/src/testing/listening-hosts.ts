import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { Fault } from '@gantry/kernel'
import type { HostId, VolumePlan, VolumeReport } from '@gantry/model'
import type { VolumeCopies } from '@gantry/providers-embedded'

/** What a host has of a volume or snapshot. */
export interface HeldFile {
  /** GiB. */
  readonly size: number
  /** A copy has what its source has. */
  readonly data: string
}

/** What a host does with plans, without any disk; what is new begins with its own id as data. */
export function listeningHost(id: HostId) {
  const waiting: VolumePlan[] = []
  const files = new Map<string, HeldFile>()
  const before = ({ id, source }: VolumePlan): HeldFile | undefined =>
    files.get(id) ?? (source === null ? { size: 1, data: id } : files.get(source))
  const carryOut = (plan: VolumePlan, failing: boolean): Pick<VolumeReport, 'state' | 'reason'> => {
    const failed = (reason: string) => ({ state: 'error', reason }) as const
    if (failing) return failed('The disk of the host is full.')
    if (plan.gone) {
      files.delete(plan.id)
      return { state: 'gone', reason: '' }
    }
    if (!files.has(plan.id) && plan.made) return failed('The data is missing.')
    const held = before(plan)
    if (!held) return failed('What it is made from is missing.')
    files.set(plan.id, { ...held, size: Math.max(plan.size, held.size) })
    return { state: 'available', reason: '' }
  }
  return {
    id,
    waiting,
    files,
    next: (failing: boolean): VolumeReport | undefined => {
      const plan = waiting.shift()
      return plan && { kind: plan.kind, id: plan.id, ...carryOut(plan, failing) }
    },
  }
}

export type ListeningHost = ReturnType<typeof listeningHost>

/** Copies between those hosts and the server, each of which waits until it is let go on. */
export function waitingCopies(hosts: ReadonlyMap<HostId, ListeningHost>) {
  const waiting: { readonly goOn: () => void; readonly fail: () => void }[] = []

  const turn = (signal: AbortSignal): Promise<void> => {
    signal.throwIfAborted()
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const one = { goOn: resolve, fail: () => reject(new Fault('volume.failed', { reason: 'The line broke.' })) }
    waiting.push(one)
    signal.addEventListener('abort', () => {
      // Not if it was let go on already.
      if (waiting.includes(one)) waiting.splice(waiting.indexOf(one), 1)
      reject(signal.reason)
    })
    return promise
  }

  const copies: VolumeCopies = {
    read: async (hostId, id, signal) => {
      await turn(signal)
      const held = hosts.get(hostId)?.files.get(id)
      if (!held) throw new Fault('volume.failed', { reason: 'Its data is missing on the host.' })
      return Readable.from([Buffer.from(held.data)])
    },
    write: async (hostId, { id, size, sha256 }, content, signal) => {
      await turn(signal)
      const data = await text(content)
      if (createHash('sha256').update(data).digest('hex') !== sha256) throw new Error('The backup is damaged.')
      signal.throwIfAborted()
      hosts.get(hostId)?.files.set(id, { size, data })
    },
  }
  return { copies, next: () => waiting.shift() }
}
