import Type, { type Static } from 'typebox'

export const EngineState = Type.Union([
  Type.Literal('created'),
  Type.Literal('running'),
  Type.Literal('paused'),
  Type.Literal('restarting'),
  Type.Literal('exited'),
  Type.Literal('removing'),
  Type.Literal('dead'),
])
export type EngineState = Static<typeof EngineState>

/** What the engine says of one container of ours. */
export const EngineContainer = Type.Object({
  engineId: Type.String(),
  generation: Type.Integer(),
  state: EngineState,
  /** The engine's own time stamp text, to the nanosecond; null: never started. Compared, never parsed for logic. */
  startedAt: Type.Union([Type.String(), Type.Null()]),
  finishedAt: Type.Union([Type.String(), Type.Null()]),
  exitCode: Type.Union([Type.Integer(), Type.Null()]),
  oomKilled: Type.Boolean(),
  /** The engine's text about why it could not start; empty when all is well. */
  error: Type.String(),
  health: Type.Union([Type.Literal('starting'), Type.Literal('healthy'), Type.Literal('unhealthy'), Type.Null()]),
  restartCount: Type.Integer(),
  /** Ids of the ports it is plugged into. */
  nics: Type.Array(Type.String()),
  /** Limits in force, to compare with the spec: cores and MiB. */
  cpu: Type.Number(),
  memory: Type.Integer(),
  /** What else an update may change, in one text to compare (see `tuningOf`); absent: not known. */
  tuning: Type.Optional(Type.String()),
  /** The image's values where the spec has none, for display. */
  command: Type.Array(Type.String()),
  entrypoint: Type.Array(Type.String()),
  workdir: Type.String(),
  hostname: Type.String(),
  /** Ports the container exposes: `80/tcp`. */
  ports: Type.Array(Type.String()),
  imageDigest: Type.String(),
})
export type EngineContainer = Static<typeof EngineContainer>

/** Why a wish could not be carried out; `reason` is a sentence for the user. */
export const Failure = Type.Object({ step: Type.String(), reason: Type.String() })
export type Failure = Static<typeof Failure>

/** What is known of a container from its agent. Written from agents' reports only. */
export const Observed = Type.Object({
  /** The engine's container; null: there is none. */
  engine: Type.Union([EngineContainer, Type.Null()]),
  /** The highest wish version that was carried out, or given up with `failure`. */
  settled: Type.Integer({ minimum: 0 }),
  failure: Type.Union([Failure, Type.Null()]),
})
export type Observed = Static<typeof Observed>

export const nothingObserved: Observed = { engine: null, settled: 0, failure: null }
