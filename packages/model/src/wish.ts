import Type, { type Static } from 'typebox'

/**
 * How a container should be, beside its spec: running or not, paused or not, gone or not. Use cases write it; each
 * change raises `version`. Nothing in it is a one-time command, so it can be sent again at any time without harm.
 *
 * A start is made repeatable by comparing with the engine's own start time: `since` is the start time that the user's
 * view of the container had when the wish was written. While the engine still reports that one, the start has not
 * happened yet; any other value means it has, even if the process has ended again since.
 */
export const Power = Type.Union([
  /** Create, do not start. */
  Type.Object({ kind: Type.Literal('created') }),
  Type.Object({
    kind: Type.Literal('running'),
    /** The engine's `StartedAt` before this wish; null: never started. */
    since: Type.Union([Type.String(), Type.Null()]),
    /** Stop it first if it still runs since `since` (a reboot). */
    bounce: Type.Boolean(),
    graceSeconds: Type.Integer({ minimum: 0 }),
  }),
  Type.Object({ kind: Type.Literal('stopped'), graceSeconds: Type.Integer({ minimum: 0 }) }),
])
export type Power = Static<typeof Power>

export const Wish = Type.Object({
  /** Raised by every accepted request that changes the spec or the wish. */
  version: Type.Integer({ minimum: 1 }),
  /** Raised when the engine's container must be made anew (rebuild). A lower one found on a host is removed. */
  generation: Type.Integer({ minimum: 1 }),
  power: Power,
  paused: Type.Boolean(),
  /** Set once, never unset: remove it from the engine, then forget it. */
  gone: Type.Union([Type.Null(), Type.Object({ graceSeconds: Type.Integer({ minimum: 0 }) })]),
})
export type Wish = Static<typeof Wish>
