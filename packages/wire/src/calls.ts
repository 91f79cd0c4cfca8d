import type { Readable } from 'node:stream'
import type { ContainerId } from '@gantry/model'
import Type, { type Static, type TSchema } from 'typebox'
import { engineCalls } from './engine-calls.ts'
import { engineImageCalls } from './engine-image-calls.ts'
import { volumeCalls } from './volume-calls.ts'

const id = Type.Unsafe<ContainerId>(Type.String())
const Empty = Type.Object({})

export const PathStat = Type.Object({
  name: Type.String(),
  size: Type.Integer(),
  mode: Type.Integer(),
  mtime: Type.String(),
  linkTarget: Type.String(),
})
export type PathStat = Static<typeof PathStat>

export const Stats = Type.Object({
  /** Share of all cores over the last second or so, in percent of one core. */
  cpuPercent: Type.Number(),
  memoryUsed: Type.Number(),
  memoryLimit: Type.Number(),
  /** Bytes since start. */
  blockRead: Type.Number(),
  blockWrite: Type.Number(),
  netReceived: Type.Number(),
  netSent: Type.Number(),
  pids: Type.Integer(),
})
export type Stats = Static<typeof Stats>

/**
 * What a server may ask an agent to do at once, beside the assignments. One row a call: arguments and reply as schemas
 * (both ends check them), and which way raw bytes flow beside them.
 */
export const calls = {
  /** Log lines. Output: frames if the reply says so, else raw terminal bytes. */
  logs: {
    args: Type.Object({
      id,
      stdout: Type.Boolean(),
      stderr: Type.Boolean(),
      timestamps: Type.Boolean(),
      follow: Type.Boolean(),
      /** Number of lines from the end; null: all. */
      tail: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()]),
      /** Epoch seconds, fractions allowed; null: no bound. */
      since: Type.Union([Type.Number(), Type.Null()]),
      until: Type.Union([Type.Number(), Type.Null()]),
      /** The log driver's labels before each line. */
      details: Type.Optional(Type.Boolean()),
    }),
    reply: Type.Object({ framed: Type.Boolean() }),
  },
  /** Runs a command. Input: its stdin. Output: frames of kind 1 and 2 (only 1 with a tty), at the end one of kind 3: `{"exitCode":n}`. */
  exec: {
    args: Type.Object({
      id,
      command: Type.Array(Type.String(), { minItems: 1 }),
      environment: Type.Record(Type.String(), Type.String()),
      workdir: Type.Union([Type.String(), Type.Null()]),
      user: Type.Union([Type.String(), Type.Null()]),
      tty: Type.Boolean(),
      stdin: Type.Boolean(),
    }),
    reply: Type.Object({ execId: Type.String() }),
  },
  /** Makes a command ready to run: its id is 64 hex digits. `execStart` runs it, once. Forgotten after two minutes. */
  execCreate: {
    args: Type.Object({
      id,
      command: Type.Array(Type.String(), { minItems: 1 }),
      environment: Type.Record(Type.String(), Type.String()),
      workdir: Type.Union([Type.String(), Type.Null()]),
      user: Type.Union([Type.String(), Type.Null()]),
      tty: Type.Boolean(),
      stdin: Type.Boolean(),
    }),
    reply: Type.Object({ execId: Type.String() }),
  },
  /** As `exec`, for one that was made ready. A size set before it runs holds from its start. */
  execStart: {
    args: Type.Object({ id, execId: Type.String() }),
    reply: Type.Object({ tty: Type.Boolean() }),
  },
  /**
   * The container's own stdin and output, from now on; with `history`, what it wrote before too. Output: frames if the reply
   * says so, else a terminal's raw bytes; it ends with the container's process. Input: its stdin, if it was created interactive.
   */
  attach: {
    args: Type.Object({ id, stdin: Type.Boolean(), history: Type.Boolean() }),
    reply: Type.Object({ framed: Type.Boolean() }),
  },
  execResize: {
    args: Type.Object({
      id,
      execId: Type.String(),
      rows: Type.Integer({ minimum: 1 }),
      columns: Type.Integer({ minimum: 1 }),
    }),
    reply: Empty,
  },
  ttyResize: {
    args: Type.Object({ id, rows: Type.Integer({ minimum: 1 }), columns: Type.Integer({ minimum: 1 }) }),
    reply: Empty,
  },
  top: {
    args: Type.Object({ id, psArgs: Type.Union([Type.String(), Type.Null()]) }),
    reply: Type.Object({ titles: Type.Array(Type.String()), processes: Type.Array(Type.Array(Type.String())) }),
  },
  stats: { args: Type.Object({ id }), reply: Stats },
  /** Output: a tar of the path. */
  archiveGet: { args: Type.Object({ id, path: Type.String() }), reply: PathStat },
  /** Input: a tar that is unpacked into directory `path`. */
  archivePut: {
    args: Type.Object({
      id,
      path: Type.String(),
      /** A directory must not take the place of something else, nor the other way round. */
      noOverwriteDirNonDir: Type.Optional(Type.Boolean()),
      /** Owners as in the archive. */
      copyUidGid: Type.Optional(Type.Boolean()),
    }),
    reply: Empty,
  },
  /** `signal`: upper-case name with SIG, or a number as text. */
  kill: { args: Type.Object({ id, signal: Type.String() }), reply: Empty },
  /** Saves the container's file system as an image of this host. */
  commit: {
    args: Type.Object({
      id,
      engineRef: Type.String(),
      author: Type.Optional(Type.String()),
      comment: Type.Optional(Type.String()),
      /** Lines of a Dockerfile: `CMD ["sh"]`. */
      changes: Type.Optional(Type.Array(Type.String())),
      /** Whether the container stands still meanwhile; it does unless told. */
      pause: Type.Optional(Type.Boolean()),
      /** The Engine API's container config. */
      config: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    }),
    reply: Type.Object({ imageId: Type.String(), size: Type.Integer() }),
  },
  /** Takes a reference away; the image goes with its last one. Throws `image.not-found`, `image.in-use`. */
  imageRemove: { args: Type.Object({ engineRef: Type.String() }), reply: Empty },
  ...engineCalls,
  ...engineImageCalls,
  ...volumeCalls,
} as const satisfies Record<string, { args: TSchema; reply: TSchema }>

export type CallName = keyof typeof calls
export type CallArgs<K extends CallName> = Static<(typeof calls)[K]['args']>
export type CallReply<K extends CallName> = Static<(typeof calls)[K]['reply']>

export interface CallIo {
  /** Raw bytes for the callee; ends when the caller half-closes. */
  readonly input?: Readable
  /** Aborting it cancels the call and everything it started at the other end. */
  readonly signal: AbortSignal
}

export interface CallResult<K extends CallName> {
  readonly reply: CallReply<K>
  /** Raw bytes from the callee; null when the call has none. */
  readonly output: Readable | null
}

/**
 * One interface, both ends: the agent implements it on its engine, the relay implements it by carrying each call over the
 * agent's connection. A failed call rejects with a `Fault`.
 */
export type AgentCalls = { readonly [K in CallName]: (args: CallArgs<K>, io: CallIo) => Promise<CallResult<K>> }
