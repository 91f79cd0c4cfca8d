import { reasonOf } from '@gantry/kernel'
import type { Vif } from '@gantry/model'
import type { HostLog } from '../../agent/host-log.ts'
import { keyLocks } from '../../volumes/key-locks.ts'
import { kernelLinks } from '../kernel-links.ts'
import { linkNames } from '../names.ts'
import type { NetTools } from '../run-in.ts'
import { filterWatch } from './filter-watch.ts'
import { type HostEnd, plugScripts, showLines, unplugScript } from './scripts.ts'

/** A port that Neutron has bound to this machine. */
export interface BoundPort {
  readonly portId: string
  readonly networkId: string
  readonly mac: string
  /** Bytes. */
  readonly mtu: number
  readonly vif: Vif
  /** false: Neutron's agent lets everything pass. */
  readonly filtered: boolean
}

/** Plugs Neutron's ports, each in the way that it is bound. */
export interface Binder {
  /**
   * The host end on its network, the other end waiting in the engine's namespace under `linkNames.container`. Repeatable, also with
   * another vif; but if the other end is in a container, that loses it.
   */
  plug(port: BoundPort): Promise<void>
  /** The same, but for a port that may be in use: goes on with what is there. Tells whether the other end is known to wait. */
  prepare(port: BoundPort): Promise<boolean>
  /** Resolves when traffic may pass: Neutron's agent has put the port's filter in force. Rejects when the signal is aborted. */
  whenReady(portId: string, signal: AbortSignal): Promise<void>
  unplug(port: Pick<BoundPort, 'portId'>): Promise<void>
  /** Ids of ports that were plugged under this mark and are in the kernel. */
  links(): Promise<string[]>
  /** Those of them that are on no bridge: whoever plugged them may have been killed before their filter was in force. */
  loose(): Promise<string[]>
  close(): void
}

export interface BinderOptions {
  readonly tools: NetTools
  /** Path of the namespace where the engine looks for interfaces, and in which Neutron's agent works. */
  readonly engineSpace: string
  readonly log: HostLog
  /** Stands in the alias of each host end, so that nobody else's is ever taken down. */
  readonly mark: string
}

interface Held {
  readonly end: AbortController
  /** What lets it pass. */
  readonly line: string
  /** Its agent must not see it yet. */
  isEarly: boolean
  done: Promise<void>
}

export function binder({ tools, engineSpace, log, mark }: BinderOptions): Binder {
  const locks = keyLocks()
  /** Ports that may not pass anything yet. */
  const held = new Map<string, Held>()
  const closing = new AbortController()
  const filters = filterWatch({ tools, space: engineSpace, log })

  const change = (portId: string, lines: readonly string[], signal: AbortSignal) =>
    locks.run([portId], async () => {
      signal.throwIfAborted()
      await tools.ip(engineSpace, lines)
    })
  /**
   * Neutron's agent takes up an interface by its name, wherever it is. So it goes onto the bridge when its filter is in the kernel, and
   * not before: no packet ever passes that nobody has judged.
   */
  const join = async (portId: string, entry: Held, signal: AbortSignal) => {
    if (entry.isEarly) {
      await filters.gone(portId, signal)
      await change(portId, showLines(portId), signal)
      entry.isEarly = false
    }
    await filters.inForce(portId, signal)
    await change(portId, [entry.line], signal)
  }
  const letGo = (portId: string) => {
    held.get(portId)?.end.abort(new Error(`Port ${portId} is not plugged any more.`))
    held.delete(portId)
  }
  const hold = (portId: string, isEarly: boolean, line: string) => {
    const known = held.get(portId)
    if (known?.line === line && (known.isEarly || !isEarly)) return
    letGo(portId)
    const end = new AbortController()
    const entry: Held = { end, line, isEarly, done: Promise.resolve() }
    held.set(portId, entry)
    entry.done = join(portId, entry, AbortSignal.any([end.signal, closing.signal]))
    entry.done
      .catch((error: unknown) => {
        if (end.signal.aborted || closing.signal.aborted) return
        log.warn({ port: portId, reason: reasonOf(error) }, 'port stays off its bridge')
      })
      .finally(() => {
        if (held.get(portId) === entry) held.delete(portId)
      })
  }

  const plug = async (port: BoundPort, kind: 'make' | 'makeMissing') => {
    const { portId } = port
    const scripts = plugScripts(port, aliasOf(mark, portId))
    const text = `${scripts[kind]}${scripts.attach}${scripts.tell}`
    const told = await locks.run([portId], () => tools.sh(engineSpace, text))
    const words = new Set(told.split('\n'))
    const is = (state: HostEnd) => words.has(state)
    if (is('early') || is('off')) hold(portId, is('early'), scripts.join)
    else letGo(portId)
    return kind === 'make' || words.has('made')
  }
  const ours = () => linksOf(tools, engineSpace, mark)

  return {
    plug: async (port) => void (await plug(port, 'make')),
    prepare: (port) => plug(port, 'makeMissing'),
    async whenReady(portId, signal) {
      const waiting = held.get(portId)
      if (!waiting) return
      const aborted = Promise.withResolvers<never>()
      const leave = () => aborted.reject(signal.reason)
      signal.addEventListener('abort', leave, { once: true })
      if (signal.aborted) leave()
      await Promise.race([waiting.done, aborted.promise]).finally(() => signal.removeEventListener('abort', leave))
    },
    unplug: ({ portId }) => {
      letGo(portId)
      return locks.run([portId], async () => void (await tools.sh(engineSpace, unplugScript(portId))))
    },
    links: async () => [...new Set((await ours()).map(({ portId }) => portId))],
    loose: async () => (await ours()).filter(({ master }) => master === '').map(({ portId }) => portId),
    close: () => closing.abort(new Error('the agent is closing')),
  }
}

/** Takes down whatever was plugged under this mark. */
export async function unplugAll(tools: NetTools, engineSpace: string, mark: string): Promise<void> {
  for (const { portId } of await linksOf(tools, engineSpace, mark)) await tools.sh(engineSpace, unplugScript(portId))
}

const aliasOf = (mark: string, portId: string) => `${mark}/${portId}`

async function linksOf(tools: NetTools, engineSpace: string, mark: string) {
  const prefix = aliasOf(mark, '')
  const all = [...(await kernelLinks(tools, engineSpace)).values()]
  return all.flatMap(({ alias, master }) =>
    alias.startsWith(prefix) ? [{ portId: alias.slice(prefix.length), master }] : [],
  )
}

/** Name of the end that waits for the engine. */
export const containerEnd = linkNames.container
