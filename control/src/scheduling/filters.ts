import type { Container, Host, HostId } from '@gantry/model'
import type { Policy } from '../deps.ts'

/** What a filter looks at. */
export interface Candidate {
  readonly host: Host
  readonly up: boolean
}

export interface Need {
  readonly container: Container
  /** Where the volumes are; null: nowhere yet. */
  readonly volumesOn: HostId | null
  readonly policy: Policy
}

/** One reason why a host may not do. `why` reads after a count: "3 lack memory". */
export interface Filter {
  readonly why: string
  readonly passes: (candidate: Candidate, need: Need) => boolean
}

/** In the order in which they are told: the first that refuses a host is the one counted. */
export const filters: readonly Filter[] = [
  { why: 'not connected', passes: ({ up }) => up },
  { why: 'disabled by an administrator', passes: ({ host }) => !host.disabled },
  {
    why: 'not the host asked for',
    passes: ({ host }, { container }) => {
      const asked = container.spec.requestedHost
      return asked === null || asked === host.name || asked === host.id
    },
  },
  {
    why: 'in another availability zone',
    passes: ({ host }, { container }) => {
      const zone = container.spec.availabilityZone
      return zone === null || zone === host.availabilityZone
    },
  },
  { why: 'without the label asked for', passes: ({ host }, { container }) => hasLabels(host, container.spec.hints) },
  {
    why: 'without the runtime asked for',
    passes: ({ host }, { container }) => {
      const runtime = container.spec.runtime
      return runtime === null || host.facts.runtimes.includes(runtime)
    },
  },
  { why: 'without pinned cores', passes: (_candidate, { container }) => container.spec.cpuPolicy === 'shared' },
  {
    why: 'without the volume, which is on another host',
    passes: ({ host }, { volumesOn }) => volumesOn === null || volumesOn === host.id,
  },
  {
    why: 'unable to build networks (gantry host show tells why)',
    passes: ({ host }, { container }) => container.nics.length === 0 || host.facts.networkProblem === undefined,
  },
  {
    why: 'unable to hold volumes (gantry host show tells why)',
    passes: ({ host }, { container }) =>
      container.mounts.every(({ kind }) => kind !== 'volume') || host.facts.volumeProblem === undefined,
  },
  {
    why: 'with an engine that cannot limit disk space',
    passes: ({ host }, { container }) => container.spec.disk === 0 || host.facts.diskQuota === true,
  },
  {
    why: 'out of cores',
    passes: ({ host }, { container, policy }) =>
      host.used.cpu + container.spec.cpu <= host.facts.cpus * policy.cpuRatio,
  },
  {
    why: 'out of memory',
    passes: ({ host }, { container, policy }) =>
      host.used.memory + container.spec.memory <= host.facts.memory * policy.memoryRatio,
  },
  {
    why: 'out of disk space',
    passes: ({ host }, { container, policy }) =>
      host.used.disk + container.spec.disk <= host.facts.disk * policy.diskRatio,
  },
]

/** Hints of the form `label:<key>=<value>`, as in Zun. */
function hasLabels(host: Host, hints: Readonly<Record<string, string>>): boolean {
  return Object.entries(hints).every(([hint, value]) => {
    if (!hint.startsWith('label:')) return true
    return host.facts.labels[hint.slice('label:'.length)] === value
  })
}
