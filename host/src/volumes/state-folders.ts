import { chmod, mkdir, open, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** Where things are below the agent's state folder. */
export interface StateFolders {
  /** `<id>.img`: a file system each. */
  readonly volumes: string
  readonly snapshots: string
  /** `<id>`: where a volume is mounted. */
  readonly mounts: string
  /** What is not complete yet; nothing here outlives the agent that made it. */
  readonly making: string
  /** `<container>`: which volumes it holds, and its own files. */
  readonly held: string
  /** What a new volume holds. */
  readonly seed: string
}

/** Makes them below `root`, and clears away what an agent that was killed had half made. */
export async function openStateFolders(root: string): Promise<StateFolders> {
  const at = (name: string) => join(root, name)
  await rm(at('making'), { recursive: true, force: true })
  const names = ['volumes', 'snapshots', 'mounts', 'making', 'held', 'seed'] as const
  for (const name of names) {
    // Closed to all others: a program with the set-user-ID bit that a container left on its volume must be out of reach here.
    await mkdir(at(name), { recursive: true, mode: 0o700 })
  }
  // As root's alone, like a new file system of Cinder's; an image with another user brings an entrypoint that changes it.
  await mkdir(join(at('seed'), dataFolder), { recursive: true })
  await chmod(join(at('seed'), dataFolder), 0o755)
  return {
    volumes: at('volumes'),
    snapshots: at('snapshots'),
    mounts: at('mounts'),
    making: at('making'),
    held: at('held'),
    seed: at('seed'),
  }
}

/**
 * What a container sees is this folder inside the volume. It exists only while the volume is mounted, so a container can
 * never be given an empty folder of the host's instead.
 */
export const dataFolder = 'data'

/** Makes sure that a file, or the names in a folder, outlive a power cut. */
export async function flush(path: string): Promise<void> {
  const file = await open(path, 'r')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

/** As `flush`, for the name of a file. */
export async function flushName(path: string): Promise<void> {
  await flush(dirname(path))
}
