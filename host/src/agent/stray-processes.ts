import { readdir, readFile } from 'node:fs/promises'

/**
 * Kills the processes of a container that the engine does not know to be running, and the containerd shim that holds its
 * place; resolves with how many there were.
 *
 * An engine that is killed while it starts a container forgets the start, but with live-restore the process lives on: it
 * then refuses every further start ("task … already exists"), and a removal would leave the process behind for ever. The
 * Engine API has no call for it, so the kernel must help. Where the agent does not share the engine's process namespace it
 * finds none, which is harmless. Must not be called for a container that the engine says is running.
 */
export async function killStrays(engineId: string): Promise<number> {
  if (!/^[0-9a-f]{64}$/.test(engineId)) return 0
  let killed = 0
  for (const entry of await readdir('/proc')) {
    if (/^\d+$/.test(entry) && (await isIn(entry, engineId)) && kill(Number(entry))) killed += 1
  }
  return killed
}

/** Whether a refused start is of that kind. Pure. */
export function blamesStrays(message: string): boolean {
  return /task .*already exists|id already in use|mkdir .*\/[0-9a-f]{64}: file exists/.test(message)
}

async function isIn(pid: string, engineId: string): Promise<boolean> {
  try {
    const groups = await readFile(`/proc/${pid}/cgroup`, 'utf8')
    // Podman's conmon-… is no stray: it ends by itself, after it has tidied up.
    if (groups.includes(engineId)) return !groups.includes(`conmon-${engineId}`)
    // The shim itself is in the engine's group; containerd names the container on its command line.
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8')
    return command.includes('containerd-shim') && command.includes(`\0-id\0${engineId}\0`)
  } catch {
    // It ended while we read.
    return false
  }
}

function kill(pid: number): boolean {
  try {
    process.kill(pid, 'SIGKILL')
    return true
  } catch {
    return false
  }
}
