import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ContainerId } from '@gantry/model'

/**
 * Containers that we remove only to make them anew: they never ran, and what a killed engine left of their start is in the way. Written down
 * before, so that whatever dies in between, one that is not there is made again and not missed.
 */
export interface Remakings {
  begin(id: ContainerId): void
  /** It is there again, or is not wanted any more. */
  end(id: ContainerId): void
  has(id: ContainerId): boolean
  /** Forgets all but these. */
  keepOnly(ids: ReadonlySet<ContainerId>): void
}

/** One empty file each, in a folder of this agent's. */
export function remakings(stateDir: string): Remakings {
  const folder = join(stateDir, 'remaking')
  // Made when it is needed: an agent starts on a full disk, too.
  const under = new Set((existsSync(folder) ? readdirSync(folder) : []) as ContainerId[])
  const end = (id: ContainerId) => {
    if (under.delete(id)) rmSync(join(folder, id), { force: true })
  }
  return {
    end,
    begin(id) {
      mkdirSync(folder, { recursive: true })
      writeFileSync(join(folder, id), '')
      under.add(id)
    },
    has: (id) => under.has(id),
    keepOnly(ids) {
      for (const id of under) if (!ids.has(id)) end(id)
    },
  }
}
