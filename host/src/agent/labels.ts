import type { Assignment } from '@gantry/model'

/** On every engine object we make: whose it is, and which one. */
export const labels = {
  deployment: 'gantry.deployment',
  container: 'gantry.container',
  project: 'gantry.project',
  generation: 'gantry.generation',
  network: 'gantry.network',
  slot: 'gantry.slot',
  /** Seconds without a server after which it is stopped. */
  lease: 'gantry.lease',
} as const

export function labelsOf(assignment: Assignment, deployment: string): Record<string, string> {
  return {
    [labels.deployment]: deployment,
    [labels.container]: assignment.id,
    [labels.project]: assignment.projectId,
    [labels.generation]: String(assignment.wish.generation),
    ...(assignment.lease !== undefined && { [labels.lease]: String(assignment.lease) }),
  }
}

/** The name in the engine. One name a container, so that an engine can never hold it twice. */
export function engineName(id: string): string {
  return `gantry-${id}`
}
