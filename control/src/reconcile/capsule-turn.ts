import type { Capsule, CapsuleStatus, Container } from '@gantry/model'

/**
 * Whether a container of a capsule may be on its host by now: the sandbox first, then the init containers one after another,
 * then the rest; at the end the sandbox last. Pure. Once a host has had it, it stays (`seenGeneration`), or a later look
 * would have it removed there.
 */
export function isDue(container: Container, members: readonly Container[]): boolean {
  const { capsule } = container
  if (!capsule) return true
  if (hasLeft(container)) return false
  const others = members.filter(({ id }) => id !== container.id)
  if (capsule.role === 'sandbox') return !isLeaving(container) || others.every(hasLeft)
  if (isLeaving(container) || container.seenGeneration >= container.wish.generation) return true
  const sandbox = members.find((member) => member.capsule?.role === 'sandbox')
  if (sandbox?.observed.engine?.state !== 'running') return false
  return members
    .filter((member) => member.capsule?.role === 'init')
    .filter((init) => capsule.role === 'member' || (init.capsule?.position ?? 0) < capsule.position)
    .every(hasSucceeded)
}

/** Its host is to take it down, for good or because it moves. Pure. */
export function isLeaving({ wish, moving }: Container): boolean {
  return wish.gone !== null || (moving ?? null) !== null
}

function hasLeft({ moving }: Container): boolean {
  return moving?.left === true
}

function hasSucceeded({ observed, wish }: Container): boolean {
  return observed.settled >= wish.version && observed.engine?.state === 'exited' && observed.engine.exitCode === 0
}

/** A capsule's status, from those of its containers. Pure. */
export function capsuleStatusOf(
  capsule: Capsule,
  members: readonly Container[],
): { readonly status: CapsuleStatus; readonly reason: string | null } {
  if (capsule.gone) return { status: 'Deleting', reason: null }
  const broken = members.find(({ status }) => status === 'Error' || status === 'Dead')
  if (broken) return { status: 'Error', reason: `${broken.name}: ${broken.statusReason ?? 'it failed'}` }
  const failed = members.find(hasGivenUp)
  if (failed) {
    const code = failed.observed.engine?.exitCode ?? 'an error'
    return { status: 'Error', reason: `Init container ${failed.name} ended with ${code}; the others wait for it.` }
  }
  const rest = members.filter((member) => member.capsule?.role === 'member')
  const sandbox = members.find((member) => member.capsule?.role === 'sandbox')
  if (sandbox?.status === 'Unknown') return { status: 'Error', reason: sandbox.statusReason }
  if (rest.every(({ status }) => status === 'Stopped')) return { status: 'Stopped', reason: null }
  const settled = rest.every(({ status }) => status === 'Running' || status === 'Stopped')
  return { status: settled ? 'Running' : 'Creating', reason: null }
}

function hasGivenUp({ capsule, observed, wish }: Container): boolean {
  if (capsule?.role !== 'init' || observed.settled < wish.version) return false
  return observed.engine?.state === 'exited' && observed.engine.exitCode !== 0
}
