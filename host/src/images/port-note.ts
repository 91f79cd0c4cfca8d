import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Remembers a port over the agent's restarts, since engines keep images under names with it in them. */
export interface PortNote {
  /** null: there is none, or none that can be read. */
  read(): Promise<number | null>
  write(port: number): Promise<void>
}

export function portNote(stateDir: string): PortNote {
  const path = join(stateDir, 'registry-port')
  return {
    async read() {
      const port = Number(await readFile(path, 'utf8').catch(() => ''))
      return Number.isInteger(port) && port > 0 && port < 65_536 ? port : null
    },
    async write(port) {
      await mkdir(stateDir, { recursive: true, mode: 0o700 })
      await writeFile(path, String(port))
    },
  }
}
