import { setTimeout as sleep } from 'node:timers/promises'
import type { Connection } from '@gantry/model'
import { ProgramError } from '../run-program.ts'

/** What a connection has become on this machine. */
export type Reached =
  /** A block device, or a file that holds the image of one. */
  | { readonly kind: 'device' | 'file'; readonly path: string }
  /** A file system as it is, which others may have mounted too: what `mount` is told before the mount point. */
  | { readonly kind: 'share'; argumentsFor(readOnly: boolean): readonly string[] }

export type OnDevice = Exclude<Reached, { kind: 'share' }>

/**
 * One way to reach a volume, as Cinder's `driver_volume_type` names it. All of it may be repeated, also by a later process that
 * knows the connection alone. Calls for one volume do not overlap, those for several do.
 */
export interface Connector {
  /** Two connections with the same answer lead to the same data. Rejects a connection that lacks what it needs. Pure. */
  targetOf(connection: Connection): string
  connect(
    connection: Connection,
    volume: { readonly id: string; readonly readOnly: boolean },
    signal?: AbortSignal,
  ): Promise<Reached>
  /** What is connected now; null: nothing is. */
  find(connection: Connection, id: string): Promise<Reached | null>
  /** `others`: the connections of all other volumes on record, with which something may be shared. Nothing of it is mounted. */
  disconnect(connection: Connection, id: string, others: readonly Connection[]): Promise<void>
  /** Lets the machine see that it has grown. */
  refresh?(connection: Connection, id: string): Promise<void>
  /** What `connector` of an attachment says about this way; nothing if this machine has not got it. */
  properties?(): Promise<Readonly<Record<string, unknown>>>
}

/** What a connection says beside its type. Pure. */
export function saidOf(connection: Connection, key: string): unknown {
  return new Map(Object.entries(connection)).get(key)
}

/** A text or number of what a storage said, as a text; null: it is neither. Pure. */
export function wordOf(said: unknown): string | null {
  return typeof said === 'string' || typeof said === 'number' ? String(said) : null
}

/** As `saidOf`, of what must be there. Pure. */
export function textOf(connection: Connection, key: string): string {
  const value = saidOf(connection, key)
  if (typeof value === 'string' && value !== '' && !value.includes('\0')) return value
  throw new Error(`The storage did not tell ${key} of the ${connection.driver_volume_type} connection.`)
}

/** As `textOf`, where it becomes the name of a file. Pure. */
export function nameOf(connection: Connection, key: string): string {
  const name = textOf(connection, key)
  if (/^[\w.-]+$/.test(name) && !/^\.+$/.test(name)) return name
  throw new Error(`The storage told an impossible ${key} of the ${connection.driver_volume_type} connection.`)
}

/** How long a device may take to appear once its storage was reached, and between looks. Milliseconds. */
const mostMs = 30_000
const stepMs = 250

/** The device once it is there: the kernel makes it a moment after the program that asked for it has ended. */
export async function untilThere(find: () => Promise<string | null>, signal?: AbortSignal): Promise<OnDevice> {
  for (let waitedMs = 0; waitedMs < mostMs; waitedMs += stepMs) {
    const path = await find()
    if (path !== null) return { kind: 'device', path }
    await sleep(stepMs, undefined, signal ? { signal } : {})
  }
  throw new Error('The storage was reached, but the volume did not appear on the host.')
}

/** By a program that the machine has not got nothing can have been connected. Throws anything else. */
export function unlessNoProgram(error: unknown): void {
  if (!(error instanceof ProgramError && error.exitCode === null && error.message.startsWith('there is no program')))
    throw error
}
