import { readFileSync } from 'node:fs'
import { rename, rm, writeFile } from 'node:fs/promises'
import type { Home } from './home.ts'
import { isAlive, type ProcessId } from './process-id.ts'

/** What a running `gantry up` tells `status`, `down` and `doctor`; nothing secret. */
export interface UpState {
  readonly supervisor: ProcessId
  /** It runs in the background. */
  readonly detached: boolean
  /** Epoch milliseconds. */
  readonly since: number
  readonly version: string
  readonly api: string
  readonly agents: string
  /** Addresses of the Docker API, and of the same over TLS. */
  readonly docker: string
  readonly dockerTls: string
  readonly engine: { readonly socket: string; readonly own: boolean; readonly kind: string; readonly version: string }
  readonly server: { readonly pid: number; readonly restarts: number }
  readonly agent: { readonly pid: number; readonly restarts: number }
}

export async function writeState(home: Home, state: UpState): Promise<void> {
  await writeFile(`${home.state}.new`, `${JSON.stringify(state, undefined, 2)}\n`, { mode: 0o600 })
  await rename(`${home.state}.new`, home.state)
}

export async function clearState(home: Home): Promise<void> {
  await rm(home.state, { force: true })
}

/** The state of the `up` that runs now; undefined if none does, whatever a killed one left behind. */
export function readState(home: Home): UpState | undefined {
  const state = lastState(home)
  return state && isAlive(state.supervisor) ? state : undefined
}

/** What was written last, be it by one that was killed. */
export function lastState(home: Home): UpState | undefined {
  try {
    return JSON.parse(readFileSync(home.state, 'utf8')) as UpState
  } catch {
    return undefined
  }
}
