import { createHash } from 'node:crypto'

/**
 * The Engine API's 64 hex digits for an object whose own id is a uuid: the uuid's digits, then as many of its SHA-256. The
 * first half leads back to the uuid, the second makes it as long as clients expect.
 */
export function dockerId(uuid: string): string {
  return uuid.replaceAll('-', '') + createHash('sha256').update(uuid).digest('hex').slice(0, 32)
}

/** The uuid that 32 or more digits begin with; undefined where they are none of ours. */
export function uuidOf(digits: string): string | undefined {
  const match = /^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})/.exec(digits)
  if (!match) return undefined
  const uuid = match.slice(1).join('-')
  return dockerId(uuid).startsWith(digits) ? uuid : undefined
}

/** As `docker ps` shows it, and the name a container has inside when it was given none. */
export function shortId(uuid: string): string {
  return uuid.replaceAll('-', '').slice(0, 12)
}

/** An exec is named by its container and the engine's own id of it, so that no table is needed to find it again. */
export function execIdOf(containerId: string, engineExecId: string): string {
  return containerId.replaceAll('-', '') + engineExecId
}

/** undefined: no exec's id. */
export function execOf(execId: string): { containerId: string; engineExecId: string } | undefined {
  if (!/^[0-9a-f]{96}$/.test(execId)) return undefined
  const digits = execId.slice(0, 32)
  const containerId = uuidOf(digits)
  return containerId === undefined ? undefined : { containerId, engineExecId: execId.slice(32) }
}
