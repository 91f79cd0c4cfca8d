import { access, chmod, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ContainerId } from '@gantry/model'

/**
 * Which container holds which volumes, and the files that are a container's own. On disk, because containers run on while
 * the agent does not, and written before anything is mounted, so that whatever is mounted has a holder.
 */
export interface Holds {
  /** Adds to what the container holds. */
  add(container: ContainerId, volumes: readonly string[]): Promise<void>
  volumesOf(container: ContainerId): readonly string[]
  isHeld(volume: string, except?: ContainerId): boolean
  /** The file number `index`; written only if it is not there, since it is the container's to change from then on. */
  file(container: ContainerId, index: number, content: Uint8Array): Promise<string>
  forget(container: ContainerId): Promise<void>
  containers(): ContainerId[]
}

export async function openHolds(folder: string): Promise<Holds> {
  const held = new Map<ContainerId, readonly string[]>()
  const listOf = (container: ContainerId) => join(folder, container, 'volumes.json')
  for (const name of await readdir(folder)) held.set(name as ContainerId, await read(listOf(name as ContainerId)))

  return {
    add: async (container, volumes) => {
      const before = held.get(container) ?? []
      held.set(container, before)
      await mkdir(join(folder, container), { recursive: true, mode: 0o700 })
      const all = [...new Set([...before, ...volumes])]
      if (all.length === before.length) return
      await replace(listOf(container), JSON.stringify(all), 0o600)
      held.set(container, all)
    },
    volumesOf: (container) => held.get(container) ?? [],
    isHeld: (volume, except) =>
      [...held].some(([container, volumes]) => container !== except && volumes.includes(volume)),
    file: async (container, index, content) => {
      const path = join(folder, container, `file-${index}`)
      const there = await access(path).then(
        () => true,
        () => false,
      )
      if (!there) await replace(path, content, 0o644)
      return path
    },
    forget: async (container) => {
      await rm(join(folder, container), { recursive: true, force: true })
      held.delete(container)
    },
    containers: () => [...held.keys()],
  }
}

/** Complete or not at all, whenever we are killed. */
async function replace(path: string, content: string | Uint8Array, mode: number): Promise<void> {
  await writeFile(`${path}.new`, content, { flush: true })
  await chmod(`${path}.new`, mode)
  await rename(`${path}.new`, path)
}

async function read(path: string): Promise<string[]> {
  try {
    const list: unknown = JSON.parse(await readFile(path, 'utf8'))
    return Array.isArray(list) ? list.filter((id) => typeof id === 'string') : []
  } catch (error) {
    // Killed between the folder and the list: nothing was mounted yet.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}
