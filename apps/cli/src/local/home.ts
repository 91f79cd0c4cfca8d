import { existsSync } from 'node:fs'
import { access, constants, mkdir, rmdir, statfs } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { reasonOf } from '@gantry/kernel'
import { unfit } from './unfit.ts'

/** Every path that a cloud on this machine keeps under `$GANTRY_HOME`. */
export interface Home {
  readonly root: string
  readonly logs: string
  readonly engine: string
  readonly engineChoice: string
  readonly agent: string
  readonly state: string
  readonly lockKey: string
  readonly openrc: string
  readonly openrcAdmin: string
  /** How to reach the OpenStack that the server is beside; there only if it is. */
  readonly openstack: string
  /** How hosts on demand are made at Nova; there only if they are. */
  readonly compute: string
}

/** `dir`, else `$GANTRY_HOME`, else `~/.gantry`; always absolute. Touches nothing. */
export function homeAt(dir: string | undefined, env: NodeJS.ProcessEnv = process.env): Home {
  const root = resolve(dir ?? env['GANTRY_HOME'] ?? join(homedir(), '.gantry'))
  return {
    root,
    logs: join(root, 'logs'),
    engine: join(root, 'engine'),
    engineChoice: join(root, 'engine.json'),
    agent: join(root, 'agent'),
    state: join(root, 'state.json'),
    lockKey: join(root, 'lock.key'),
    openrc: join(root, 'openrc'),
    openrcAdmin: join(root, 'openrc-admin'),
    openstack: join(root, 'openstack.yaml'),
    compute: join(root, 'compute.yaml'),
  }
}

export const leastFreeBytes = 1024 ** 3

/**
 * Makes the home (0700) and its log folder, and refuses a read-only or nearly full disk. A home that this call made is
 * taken away again when it refuses.
 */
export async function prepareHome(
  home: Home,
  freeBytes: (path: string) => Promise<number> = freeBytesAt,
): Promise<void> {
  const made = await makeFolder(home.root)
  try {
    await checkFree(home.root, await freeBytes(home.root))
    await mkdir(home.logs, { recursive: true, mode: 0o700 })
  } catch (error) {
    if (made) await rmdir(home.root).catch(() => undefined)
    throw error
  }
}

async function makeFolder(path: string): Promise<boolean> {
  try {
    const made = await makeWithParents(path)
    await access(path, constants.W_OK | constants.X_OK)
    return made
  } catch (error) {
    throw unfit(
      `The state folder ${path} cannot be written (${reasonOf(error)}).`,
      'Choose another with --home DIR or GANTRY_HOME.',
      error,
    )
  }
}

/** Node's own recursive mkdir never ends below a folder that takes no entries, such as /proc. */
async function makeWithParents(path: string): Promise<boolean> {
  if (existsSync(path)) return false
  const parent = dirname(path)
  if (!existsSync(parent)) await makeWithParents(parent)
  await mkdir(path, { mode: 0o700 })
  return true
}

/** Bytes an ordinary user may still write on the disk of `path`. */
export async function freeBytesAt(path: string): Promise<number> {
  const disk = await statfs(path)
  return disk.bavail * disk.bsize
}

async function checkFree(path: string, free: number): Promise<void> {
  if (free >= leastFreeBytes) return
  const mebibytes = Math.floor(free / 1024 ** 2)
  throw unfit(
    `The disk of ${path} has only ${mebibytes} MiB free, and at least 1024 MiB are needed.`,
    'Free some space, or choose another disk with --home DIR.',
  )
}
