import { BoundedMap, type Clock } from '@gantry/kernel'
import type { Caller, Container, ProjectId } from '@gantry/model'
import type { Cluster } from '../ports/cluster.ts'
import { activitiesOf } from './activities-of.ts'

/** Something that was done, in the words of the Engine API's events. */
export interface Activity {
  readonly type: 'container' | 'image' | 'network' | 'volume'
  /** `create`, `start`, `die`, `exec_create: sh`, `pull`, `connect` … */
  readonly action: string
  /** A container's or network's uuid, an image's reference, a volume's name. */
  readonly id: string
  readonly projectId: ProjectId
  readonly attributes: Readonly<Record<string, string>>
  /** Epoch milliseconds; never the same twice, so that nothing is told twice or left out at a seam. */
  readonly at: number
}

/** What was done in each project, lately and from now on. In memory: a server remembers what it and the others told since its start. */
export interface ActivityLog {
  note(activity: Omit<Activity, 'at'>): void
  ofContainer(container: Container, action: string, attributes: Readonly<Record<string, string>>): void
  /** What changed between two looks at a container; null: it was not there before. */
  changed(before: Container | null, after: Container, gone: boolean): void
  /**
   * The caller's project: what is remembered since `since` (null: nothing), then what comes, until `until` or the signal.
   * A reader that falls far behind is cut off with an error.
   */
  watch(
    caller: Caller,
    span: { readonly since: number | null; readonly until: number | null },
    signal: AbortSignal,
  ): AsyncIterable<Activity>
}

const alone: Pick<Cluster, 'tell' | 'onNote'> = { tell: () => undefined, onNote: () => undefined }

/** Of a container's labels, and of any other word, in what other servers are told; a note has room for a few thousand bytes. */
const mostBytes = 2000
const mostWord = 200

/** As many as an engine of one's own would remember, for each project. */
const remembered = 256
/** Those in which something was done last. */
const mostProjects = 1000
const maxBehind = 10_000

export function activityLog(clock: Clock, cluster: Pick<Cluster, 'tell' | 'onNote'> = alone): ActivityLog {
  const past = new BoundedMap<ProjectId, Activity[]>(mostProjects)
  const watchers = new Set<{ project: ProjectId; queue: Activity[]; wake: () => void }>()
  let last = 0
  const keep = (activity: Activity) => {
    const ring = past.get(activity.projectId) ?? []
    past.set(activity.projectId, ring)
    ring.push(activity)
    if (ring.length > remembered) ring.shift()
    for (const watcher of watchers) {
      if (watcher.project !== activity.projectId) continue
      // One more than it may lag behind is enough to cut it off when it reads again.
      if (watcher.queue.length <= maxBehind) watcher.queue.push(activity)
      watcher.wake()
    }
  }
  const note = (told: Omit<Activity, 'at'>) => {
    last = Math.max(clock.now(), last + 0.001)
    const activity = { ...told, at: last }
    keep(activity)
    cluster.tell({ kind: 'activity', activity: shortened(activity) })
  }
  cluster.onNote((heard) => {
    if (heard.kind === 'activity') keep(heard.activity)
  })
  const ofContainer: ActivityLog['ofContainer'] = ({ id, projectId, name, spec }, action, attributes) =>
    note({
      type: 'container',
      action,
      id,
      projectId,
      attributes: { ...spec.labels, image: imageOf(spec), name, ...attributes },
    })
  return {
    note,
    ofContainer,
    changed: (before, after, gone) => {
      for (const { action, attributes = {} } of activitiesOf(before, after, gone))
        ofContainer(after, action, attributes)
    },
    watch({ projectId }, { since, until }, signal) {
      // Registered now, not at the first read: what happens in between must not be missed.
      const queue = since === null ? [] : (past.get(projectId) ?? []).filter(({ at }) => at >= since)
      const watcher = { project: projectId, queue, wake: () => {} }
      watchers.add(watcher)
      const limit = until === null ? signal : AbortSignal.any([signal, timeoutAt(until - clock.now())])
      limit.addEventListener('abort', () => watcher.wake(), { once: true })
      return drained(watcher, limit, until, () => watchers.delete(watcher))
    },
  }
}

/** As whoever made it wrote it, `:latest` or not: clients compare it with what they wrote. */
function imageOf({ image, options }: Container['spec']): string {
  const asked = options?.asked?.['config']
  const text = typeof asked === 'object' && asked !== null && 'Image' in asked ? asked.Image : undefined
  return typeof text === 'string' && text !== '' ? text : image
}

/** The least that says what was done, if all of its labels are too much. */
function shortened(activity: Activity): Activity {
  const action = activity.action.slice(0, mostWord)
  if (Buffer.byteLength(JSON.stringify(activity.attributes)) <= mostBytes) return { ...activity, action }
  const attributes = Object.entries(activity.attributes).filter(([name, value]) => name.length + value.length < 100)
  return { ...activity, action, attributes: Object.fromEntries(attributes.slice(-6)) }
}

function timeoutAt(ms: number): AbortSignal {
  return AbortSignal.timeout(Math.min(Math.max(0, Math.ceil(ms)), 2 ** 31 - 1))
}

async function* drained(
  watcher: { queue: Activity[]; wake: () => void },
  limit: AbortSignal,
  until: number | null,
  end: () => void,
): AsyncGenerator<Activity> {
  try {
    for (;;) {
      if (watcher.queue.length > maxBehind) throw new Error('This reader of events fell too far behind.')
      for (const activity of watcher.queue.splice(0)) if (until === null || activity.at <= until) yield activity
      if (limit.aborted) return
      if (watcher.queue.length > 0) continue
      await new Promise<void>((resolve) => {
        watcher.wake = resolve
      })
    }
  } finally {
    end()
  }
}
