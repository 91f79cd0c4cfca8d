/** `volume`: makes a volume. `write`: makes a file in it, by an exec. */
export type Verb = 'create' | 'start' | 'stop' | 'delete' | 'exec' | 'look' | 'volume' | 'write'
export type Api = 'zun' | 'native' | 'docker'

/** `done`: promised. `refused`: certainly nothing happened. `unknown`: no answer came, or one that promises nothing. */
export type Outcome = 'done' | 'refused' | 'unknown'

/** One request and what came of it. The names of containers are never used twice, and one worker at a time acts on one. */
export interface Operation {
  readonly verb: Verb
  readonly api: Api
  readonly project: string
  /** The container's name; of `volume` its own. */
  readonly name: string
  readonly outcome: Outcome
  /** Of HTTP; null: there was no answer. */
  readonly status: number | null
  /** Of `create`: whether it was to run. */
  readonly run?: boolean
  /** Of `create`: the volume that is mounted; of `volume` and `write`: what it is about. */
  readonly volume?: string
  /** Of `create`: the public port that leads to it while it runs. */
  readonly port?: number
  /** Of `write`: the name of a file that is written once, and its one line. */
  readonly file?: string
  readonly line?: string
  /** Of an `exec` or `write` that was answered: what it should print, what it did, and its exit code. */
  readonly expected?: string
  readonly printed?: string
  readonly exitCode?: number
  /** The beginning of an answer that was no success. */
  readonly text?: string
  /** Milliseconds since the campaign began. */
  readonly from: number
  readonly to: number
}

/** How the APIs say that a container is at the end. */
export interface Listed {
  readonly id: string
  readonly name: string
  readonly status: string
  readonly reason: string | null
  readonly task: string | null
  /** The host's name. */
  readonly host: string | null
  readonly memory: number
}

/** What a project has at the end, and what is counted against its quota. */
export interface ProjectState {
  readonly project: string
  readonly containers: readonly Listed[]
  readonly limit: number
  readonly used: { readonly containers: number; readonly memory: number }
}

/** One container in an engine, by its label. */
export interface Held {
  readonly host: string
  readonly container: string
  readonly state: string
}

/** A port of the project's public address that leads to a container, as the Docker API lists it. */
export interface Published {
  readonly project: string
  /** The container's name. */
  readonly name: string
  readonly port: number
  /** What it answered on the machine of the container's host; null: nothing. */
  readonly answer: string | null
}

/** What a volume holds after all containers were deleted, read by a new one. */
export interface VolumeRead {
  readonly project: string
  readonly volume: string
  /** By name, their first lines; null: it could not be read. */
  readonly files: ReadonlyMap<string, string> | null
  /** Why it could not be read. */
  readonly problem?: string
}

export interface FinalState {
  readonly projects: readonly ProjectState[]
  readonly held: readonly Held[]
  readonly published: readonly Published[]
  /** Processes of ours that ended by themselves. */
  readonly crashes: readonly string[]
}

export type ViolationKind =
  | 'lost'
  | 'twice'
  | 'stuck'
  | 'orphan'
  | 'quota'
  | 'undeleted'
  | 'wrong state'
  | 'wrong exec'
  | 'wrong answer'
  | 'wrong port'
  | 'crash'
  | 'left behind'

export interface Violation {
  readonly kind: ViolationKind
  /** A sentence with the names and ids to look for. */
  readonly text: string
  /** The container, `project/name`, of what is about one. */
  readonly about?: string
}
