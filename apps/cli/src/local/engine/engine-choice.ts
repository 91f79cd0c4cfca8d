import { existsSync, readFileSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Home } from '../home.ts'
import { unfit } from '../unfit.ts'

/** The engine that this home's containers live in. `own`: Gantry started it and looks after it. */
export interface EngineChoice {
  readonly socket: string
  readonly own: boolean
}

/** The path of a `unix://` address; throws `machine.unfit` for any other kind. */
export function socketOf(address: string, source: string): string {
  if (address.startsWith('unix:///')) return address.slice('unix://'.length)
  throw unfit(
    `${source} is ${address}, and Gantry speaks to an engine over a Unix socket only.`,
    'Give the socket of an engine on this machine, for example --engine unix:///var/run/docker.sock.',
  )
}

/** Where engines usually listen, best first; only those that exist. */
export function candidateSockets(env: NodeJS.ProcessEnv = process.env): string[] {
  const places = ['/var/run/docker.sock', '/run/podman/podman.sock']
  const runtimeDir = env['XDG_RUNTIME_DIR']
  if (runtimeDir) places.push(join(runtimeDir, 'docker.sock'), join(runtimeDir, 'podman', 'podman.sock'))
  return places.filter((path) => existsSync(path))
}

/** What an earlier start chose. Containers live in that engine, so a later start must not silently take another. */
export function readChoice(home: Home): EngineChoice | undefined {
  try {
    const { socket, own } = JSON.parse(readFileSync(home.engineChoice, 'utf8')) as Partial<EngineChoice>
    return typeof socket === 'string' && typeof own === 'boolean' ? { socket, own } : undefined
  } catch {
    return undefined
  }
}

export async function writeChoice(home: Home, choice: EngineChoice): Promise<void> {
  const draft = `${home.engineChoice}.new`
  await writeFile(draft, `${JSON.stringify(choice)}\n`, { mode: 0o600 })
  await rename(draft, home.engineChoice)
}
