import type { ContainerId } from '@gantry/model'
import Type, { type TSchema } from 'typebox'

const id = Type.Unsafe<ContainerId>(Type.String())
const Empty = Type.Object({})
const execId = Type.String({ pattern: '^[0-9a-f]{64}$' })

/**
 * Calls whose arguments and answers are the Engine API's own, for façades that speak it: what the engine says of one
 * container of ours is handed on as it is. Bytes flow as the engine sends them: frames without a terminal, raw with one.
 */
export const engineCalls = {
  /** The engine's inspect of the container; `size` takes long. */
  inspect: {
    args: Type.Object({ id, size: Type.Boolean() }),
    reply: Type.Object({ found: Type.Record(Type.String(), Type.Unknown()) }),
  },
  /**
   * A connection to the container's streams, whatever its state, as the engine's attach gives it; each half may be closed by
   * itself. Input: its stdin.
   */
  hijack: {
    args: Type.Object({
      id,
      stdin: Type.Boolean(),
      stdout: Type.Boolean(),
      stderr: Type.Boolean(),
      logs: Type.Boolean(),
      stream: Type.Boolean(),
      detachKeys: Type.Union([Type.String(), Type.Null()]),
    }),
    reply: Type.Object({ tty: Type.Boolean() }),
  },
  /** `config`: the Engine API's exec config, judged already. Answers the engine's id of it. */
  execPrepare: {
    args: Type.Object({ id, config: Type.Record(Type.String(), Type.Unknown()) }),
    reply: Type.Object({ execId }),
  },
  /** Runs one that was prepared. Output (not when detached): as the engine sends it. Input: its stdin. */
  execRun: {
    args: Type.Object({
      id,
      execId,
      detach: Type.Boolean(),
      tty: Type.Boolean(),
      /** Rows and columns of its terminal. */
      consoleSize: Type.Union([Type.Tuple([Type.Integer(), Type.Integer()]), Type.Null()]),
    }),
    reply: Type.Object({ tty: Type.Boolean() }),
  },
  execLook: {
    args: Type.Object({ id, execId }),
    reply: Type.Object({ found: Type.Record(Type.String(), Type.Unknown()) }),
  },
  execSize: {
    args: Type.Object({ id, execId, rows: Type.Integer({ minimum: 0 }), columns: Type.Integer({ minimum: 0 }) }),
    reply: Empty,
  },
  /** Output: the engine's JSON objects, one after another; one only unless `stream`. */
  statsFlow: { args: Type.Object({ id, stream: Type.Boolean(), oneShot: Type.Boolean() }), reply: Empty },
  /** What differs from the image. Kind 0: changed, 1: added, 2: deleted. */
  changes: {
    args: Type.Object({ id }),
    reply: Type.Object({
      changes: Type.Array(Type.Object({ Path: Type.String(), Kind: Type.Integer() })),
    }),
  },
  /** Output: a tar of the whole file system. */
  export: { args: Type.Object({ id }), reply: Empty },
  archiveStat: {
    args: Type.Object({ id, path: Type.String() }),
    reply: Type.Object({
      name: Type.String(),
      size: Type.Integer(),
      mode: Type.Integer(),
      mtime: Type.String(),
      linkTarget: Type.String(),
    }),
  },
} as const satisfies Record<string, { args: TSchema; reply: TSchema }>
