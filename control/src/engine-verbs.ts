import type { Readable } from 'node:stream'
import type { Caller, ContainerId } from '@gantry/model'
import type { CallReply, PathStat } from '@gantry/wire'

type Json = Readonly<Record<string, unknown>>

export interface AttachOptions {
  readonly stdin: boolean
  readonly stdout: boolean
  readonly stderr: boolean
  readonly logs: boolean
  readonly stream: boolean
  /** null: the engine's own. */
  readonly detachKeys: string | null
}

export interface RawStream {
  readonly tty: boolean
  /** As the engine sends it: frames without a terminal. null: nothing comes (detached). */
  readonly output: Readable | null
}

/**
 * What a container's engine answers itself, in the words of the Docker Engine API, for façades that speak them: checked
 * here, then spliced through. `ref` is as everywhere.
 */
export interface EngineVerbs {
  /** null: its host does not answer, or has not made it yet. */
  inspect(caller: Caller, ref: string, options: { readonly size: boolean }): Promise<Json | null>
  /** Whatever its state; each half of the connection may be closed by itself. */
  attach(
    caller: Caller,
    ref: string,
    options: AttachOptions,
    input: Readable | null,
    signal: AbortSignal,
  ): Promise<RawStream>
  /** `config`: the API's exec config; judged by policy. Answers the engine's id, 64 hex digits. */
  execCreate(caller: Caller, ref: string, config: Json): Promise<string>
  execStart(
    caller: Caller,
    id: ContainerId,
    execId: string,
    options: {
      readonly detach: boolean
      readonly tty: boolean
      readonly consoleSize: readonly [number, number] | null
    },
    input: Readable | null,
    signal: AbortSignal,
  ): Promise<RawStream>
  execInspect(caller: Caller, id: ContainerId, execId: string): Promise<Json>
  execResize(caller: Caller, id: ContainerId, execId: string, size: { rows: number; columns: number }): Promise<void>
  stats(
    caller: Caller,
    ref: string,
    options: { readonly stream: boolean; readonly oneShot: boolean },
    signal: AbortSignal,
  ): Promise<Readable>
  changes(caller: Caller, ref: string): Promise<CallReply<'changes'>['changes']>
  export(caller: Caller, ref: string, signal: AbortSignal): Promise<Readable>
  archiveStat(caller: Caller, ref: string, path: string): Promise<PathStat>
}

/** What is asked in the Engine API's words and could reach the host or another tenant. */
export type EngineAsk =
  | { readonly kind: 'container'; readonly config: Json; readonly hostConfig: Json; readonly networking: Json }
  | { readonly kind: 'update'; readonly hostConfig: Json }
  | { readonly kind: 'exec'; readonly config: Json }
  | { readonly kind: 'build'; readonly options: Json }
  | { readonly kind: 'volume'; readonly body: Json }
  | { readonly kind: 'network'; readonly body: Json }
  /** A registry that the host would connect to: `registry.example:5000`, empty for the engine's default. */
  | { readonly kind: 'registry'; readonly domain: string }

export interface PolicyVerbs {
  /**
   * Judges a request in the Engine API's words. Throws `policy.field`, naming the field, for what could reach the host or
   * another tenant and is not granted to the caller's project or roles; values that mean nothing (false, 0, '', [], null)
   * pass. Answers the granted fields among the dangerous ones, as they were sent.
   */
  judge(caller: Caller, ask: EngineAsk): Record<string, unknown>
}
