import type { Caller, Container } from '@gantry/model'
import type { DockerContext } from './context.ts'
import { Refusal } from './errors.ts'

/** Longest that anybody waits for a host to carry a wish out; a pull may be part of it. */
const patienceMs = 30 * 60_000

/** The container once its wish is carried out. Throws what the engine said when it could not be. */
export async function settled(docker: DockerContext, caller: Caller, { id, wish }: Container): Promise<Container> {
  const isDone = (now: Container) => now.observed.settled >= wish.version || now.placementFailure !== null
  const { container, gone } = await docker.control.containers.until(caller, id, isDone, AbortSignal.timeout(patienceMs))
  // One that removes itself may have run to its end meanwhile.
  if (gone) return container
  if (container.placementFailure !== null) throw new Refusal(503, container.placementFailure)
  const { failure, settled: version } = container.observed
  if (failure && version === wish.version) {
    // The engine's own words: clients choose their exit code by them.
    throw new Refusal(statusOf(failure.step), container.observed.engine?.error || engineWords(failure.reason))
  }
  return container
}

/** Without what our own API says before them, in sentences for people. */
export function engineWords(reason: string): string {
  return reason.replace(/^The engine could not \w+ the container: /, '')
}

/** What the user asked for cannot be done with this container: it is not a fault of the engine's. */
function statusOf(step: string): number {
  return step === 'observe' ? 500 : 400
}

/** Starts it; one that was to remove itself and could not be started goes, as with the engine. */
export async function started(docker: DockerContext, caller: Caller, container: Container): Promise<void> {
  const { containers } = docker.control
  try {
    await settled(docker, caller, await containers.start(caller, container.id))
  } catch (error) {
    if (container.spec.autoRemove) await removed(docker, caller, container).catch(() => undefined)
    throw error
  }
}

/** Removes it, whatever it does, and returns when it is no more. */
export async function removed(docker: DockerContext, caller: Caller, { id }: Container): Promise<void> {
  const { containers } = docker.control
  await containers.delete(caller, id, { force: false, stop: true, graceSeconds: 0 })
  await containers.until(caller, id, () => false, AbortSignal.timeout(patienceMs)).catch(unlessGone)
}

function unlessGone(error: unknown): void {
  if (error instanceof Error && 'code' in error && error.code === 'container.not-found') return
  throw error
}
