import type { Container, Host, HostId, HostUsage, ProjectId } from '@gantry/model'
import { runsOn } from './architectures.ts'
import type { Limits } from './limits.ts'
import type { HostRule } from './rules.ts'

/** What a filter looks at. */
export interface Candidate {
  readonly host: Host
  readonly up: boolean
  /** Left out: it was not made on demand. */
  readonly made?: { readonly projectId: ProjectId | null; readonly leaving: boolean }
}

export interface Need {
  readonly projectId: ProjectId
  /** What is to be placed; of a capsule, one container that needs as much as all of it. */
  readonly container: Pick<Container, 'spec' | 'nics' | 'mounts'>
  /** As how many it counts: a capsule's containers without its sandbox. */
  readonly count: number
  /** Where the volumes are; null: nowhere yet. */
  readonly volumesOn: HostId | null
  /** What its images were made for, as far as that is known. */
  readonly architectures: readonly string[]
  /** Where it comes from, and is not to go back to; null: nowhere. */
  readonly leaves: HostId | null
  readonly rules: readonly HostRule[]
  /** Where those are that it is to be with; null: anywhere. */
  readonly near: ReadonlySet<HostId> | null
  /** Where those are that it must not be with. */
  readonly apart: ReadonlySet<HostId>
}

/** `asked`: a host's name or id, or the id of the instance that it is; null: any. */
export function isAskedFor(host: Host, asked: string | null): boolean {
  return asked === null || [host.name, host.id, host.facts.instance].includes(asked)
}

/** One reason why a host may not do. `why` reads after a count: "3 are out of memory". */
export interface Filter {
  readonly why: string
  readonly passes: (candidate: Candidate, need: Need) => boolean
}

/** What depends on the host alone. In the order in which they are told: the first that refuses a host is the one counted. */
export const filters: readonly Filter[] = [
  { why: 'not connected', passes: ({ up }) => up },
  { why: 'the one that it is to leave', passes: ({ host }, { leaves }) => host.id !== leaves },
  { why: 'disabled by an administrator', passes: ({ host }) => !host.disabled },
  { why: 'being deleted, as nobody needed it', passes: ({ made }) => made?.leaving !== true },
  {
    why: "for another project's containers",
    passes: ({ made }, { projectId }) => (made?.projectId ?? projectId) === projectId,
  },
  {
    why: 'not the host asked for',
    passes: ({ host }, { container }) => isAskedFor(host, container.spec.requestedHost),
  },
  {
    why: 'in another availability zone',
    passes: ({ host }, { container }) => {
      const zone = container.spec.availabilityZone
      return zone === null || zone === host.availabilityZone
    },
  },
  { why: 'without the label asked for', passes: ({ host }, { rules }) => rules.every((rule) => rule.holds(host)) },
  { why: 'without the containers it is to be with', passes: ({ host }, { near }) => near?.has(host.id) ?? true },
  { why: 'with a container it must not be with', passes: ({ host }, { apart }) => !apart.has(host.id) },
  {
    why: 'without the runtime asked for',
    passes: ({ host }, { container }) => {
      const runtime = container.spec.runtime
      return runtime === null || host.facts.runtimes.includes(runtime)
    },
  },
  {
    why: 'of another architecture than the image',
    passes: ({ host }, { architectures }) => architectures.every((made) => runsOn(host.facts, made)),
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
]

/** What depends on what else is on the host; only ever gets worse while more is placed. */
export interface RoomFilter {
  readonly why: string
  readonly fits: (used: HostUsage, limits: Limits, need: Need) => boolean
}

/** Sums of fractions of cores are not exact. */
const crumb = 1e-6

export const roomFilters: readonly RoomFilter[] = [
  {
    why: 'full of containers',
    fits: (used, limits, { count }) => used.containers + count <= limits.containers,
  },
  {
    why: 'out of cores',
    fits: (used, limits, { container }) => used.cpu + container.spec.cpu <= limits.cpu + crumb,
  },
  {
    why: 'out of memory',
    fits: (used, limits, { container }) => used.memory + container.spec.memory <= limits.memory,
  },
  {
    why: 'out of disk space',
    fits: (used, limits, { container }) => used.disk + container.spec.disk <= limits.disk,
  },
]
