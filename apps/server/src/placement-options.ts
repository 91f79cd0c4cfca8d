import type { Policy } from '@gantry/control'

/** Where containers go, and what becomes of them when their host is lost. */
export interface PlacementOptions
  extends Pick<Policy, 'placement' | 'containersPerHost' | 'diskRatio' | 'evacuate' | 'evacuateAfterSeconds'> {
  /** A program that makes sure that a lost host runs nothing any more. */
  readonly fenceCommand: string | null
}

export const placementFlags = {
  placement: { type: 'string', default: 'spread' },
  'containers-per-host': { type: 'string' },
  'disk-ratio': { type: 'string', default: '1' },
  evacuate: { type: 'string', default: 'never' },
  'evacuate-after': { type: 'string', default: '120' },
  'fence-command': { type: 'string' },
} as const

export const placementUsage = `\
  --placement fill|spread    the oldest host until it is full, or the least loaded (default: spread)
  --containers-per-host N    at most so many containers on a host (default: as many as its resources allow)
  --disk-ratio N             how often a host's disk may be promised (default: 1)
  --evacuate never|auto|all  what of a lost host is made anew elsewhere: nothing, containers with auto_heal, or all that can leave
                             (default: never)
  --evacuate-after SECONDS   how long a host must have been lost for that, at least 20; a host that no server reaches has
                             stopped these containers by then (default: 120)
  --fence-command PROGRAM    run with the name and id of a lost host before anything of it is made anew; unless it exits with 0, nothing is
`

type Values = { readonly [K in keyof typeof placementFlags]?: string | undefined }

/** Throws a sentence for the user. */
export function readPlacement(values: Values): PlacementOptions {
  const { placement = 'spread', evacuate = 'never' } = values
  if (placement !== 'fill' && placement !== 'spread') {
    throw new Error(`--placement must be fill or spread, not ${JSON.stringify(placement)}.`)
  }
  if (evacuate !== 'never' && evacuate !== 'auto' && evacuate !== 'all') {
    throw new Error(`--evacuate must be never, auto or all, not ${JSON.stringify(evacuate)}.`)
  }
  const most = values['containers-per-host']
  return {
    placement,
    containersPerHost: most === undefined ? null : wholeNumber(most, '--containers-per-host', 1),
    diskRatio: ratioOf(values['disk-ratio'] ?? '1', '--disk-ratio'),
    evacuate,
    evacuateAfterSeconds: wholeNumber(values['evacuate-after'] ?? '120', '--evacuate-after', 20),
    fenceCommand: values['fence-command'] ?? null,
  }
}

/** How often something may be promised. Throws a sentence for the user. */
export function ratioOf(text: string, option: string): number {
  const ratio = Number(text)
  if (Number.isFinite(ratio) && ratio > 0) return ratio
  throw new Error(`${option} must be a number above 0, not ${JSON.stringify(text)}.`)
}

function wholeNumber(text: string, option: string, least: number): number {
  const value = Number(text)
  if (/^\d{1,6}$/.test(text) && value >= least) return value
  throw new Error(`${option} must be a whole number from ${least}, not ${JSON.stringify(text)}.`)
}
