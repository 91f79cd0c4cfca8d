import { ofPorts } from './port-checker.ts'
import type { FinalState, Held, Listed, Operation, ProjectState, Violation, ViolationKind } from './history.ts'

type Place = 'absent' | 'running' | 'stopped'

/**
 * Compares what the APIs promised with what there is after everything was mended and came to rest. Pure. An answer that never came
 * may have been carried out or not, also later: nothing is concluded from it.
 */
export function violationsOf(history: readonly Operation[], final: FinalState): Violation[] {
  const ofContainers = history.filter(({ verb }) => verb !== 'volume')
  const byName = Map.groupBy(ofContainers, ({ project, name }) => `${project}/${name}`)
  return [
    ...[...byName].flatMap(([about, operations]) =>
      [...ofOneContainer(operations, final), ...operations.flatMap(ofOneAnswer)].map((one) => ({ ...one, about })),
    ),
    ...final.projects.flatMap((project) => ofOneProject(project, byName)),
    ...ofEngines(final),
    ...ofPorts(history, final),
    ...final.crashes.map((text) => violation('crash', text)),
  ]
}

/** Where a container may be after these operations. */
export function placesAfter(operations: readonly Operation[]): ReadonlySet<Place> {
  let places = new Set<Place>(['absent'])
  const late = new Set<Place>()
  for (const operation of operations) {
    const place = placeOf(operation)
    if (place === null || operation.outcome === 'refused') continue
    if (operation.outcome === 'done') places = new Set([place])
    else late.add(place)
  }
  return places.union(late)
}

/** Where an operation takes a container; null: nowhere. */
function placeOf({ verb, run }: Operation): Place | null {
  if (verb === 'create') return run === false ? 'stopped' : 'running'
  if (verb === 'start') return 'running'
  if (verb === 'stop') return 'stopped'
  return verb === 'delete' ? 'absent' : null
}

function ofOneContainer(operations: readonly Operation[], final: FinalState): Violation[] {
  const [first] = operations
  if (!first) return []
  const title = `${first.project}/${first.name}`
  const places = placesAfter(operations)
  const listed = final.projects
    .find(({ project }) => project === first.project)
    ?.containers.filter(({ name }) => name === first.name)
  if (!listed) return []
  const [one] = listed
  if (listed.length > 1) {
    return [violation('twice', `${title} was made once and is there ${listed.length} times: ${idsOf(listed)}.`)]
  }
  if (!one) {
    return places.has('absent')
      ? lostOnTheWay(operations)
      : [violation('lost', `${title} was promised and is not there.`)]
  }
  if (places.size === 1 && places.has('absent')) {
    const was = operations.some(({ verb, outcome }) => verb === 'delete' && outcome === 'done')
    return was
      ? [violation('undeleted', `${title} (${one.id}) was deleted and is still there: ${one.status}.`)]
      : [violation('orphan', `${title} (${one.id}) was refused and is there: ${one.status}.`)]
  }
  const place = one.status === 'Running' ? 'running' : 'stopped'
  const isExpected = one.status === 'Error' || places.has(place)
  return isExpected
    ? []
    : [violation('wrong state', `${title} (${one.id}) is ${one.status}, and should be ${[...places].join(' or ')}.`)]
}

/** A 404 for a container that had been promised and that nobody had asked to delete. */
function lostOnTheWay(operations: readonly Operation[]): Violation[] {
  return operations.flatMap((operation, at) => {
    if (operation.status !== 404 || operation.verb === 'create') return []
    const before = placesAfter(operations.slice(0, at))
    if (before.has('absent')) return []
    return [violation('lost', `${operation.project}/${operation.name} was promised, then ${operation.verb} gave 404.`)]
  })
}

/** An answer that no fault excuses: a wrong output, or a 500 where 503 says "not now". */
function ofOneAnswer(operation: Operation): Violation[] {
  const { verb, api, project, name, status, outcome, expected, printed, exitCode, text = '' } = operation
  const title = `${verb} of ${project}/${name} by ${api}`
  // Docker's own answer where another container has the port is 500.
  if (status === 500 && outcome !== 'refused') return [violation('wrong answer', `${title}: 500 ${text}`)]
  if (expected === undefined || outcome !== 'done') return []
  // A file need not find room.
  if ((exitCode === 0 && printed === expected) || (verb === 'write' && exitCode !== 0)) return []
  // The engine's own words for a command that did not begin: its host was to stop the container meanwhile, as its lease was over.
  if (exitCode === 126 && printed?.trim() === 'container is not running') return []
  const said = `printed ${JSON.stringify(printed)} with ${exitCode}`
  return [violation('wrong exec', `${title} ${said}, not ${JSON.stringify(expected)} with 0.`)]
}

function ofOneProject(state: ProjectState, byName: ReadonlyMap<string, unknown>): Violation[] {
  const { project, containers, used, limit } = state
  const found: Violation[] = []
  const memory = containers.reduce((sum, one) => sum + one.memory, 0)
  if (used.containers !== containers.length) {
    found.push(
      violation('quota', `${project} has ${containers.length} containers, and ${used.containers} are counted.`),
    )
  }
  if (used.memory !== memory) {
    found.push(violation('quota', `${project} uses ${memory} MiB, and ${used.memory} are counted.`))
  }
  if (containers.length > limit) {
    found.push(violation('quota', `${project} has ${containers.length} containers, ${limit} are allowed.`))
  }
  for (const one of containers) {
    const about = `${project}/${one.name}`
    const title = `${about} (${one.id})`
    const add = (kind: ViolationKind, text: string) => found.push({ kind, text, about })
    if (!byName.has(about)) add('orphan', `${title}: nobody asked for it.`)
    if (!isSettled(one)) add('stuck', `${title} is ${one.status}, ${one.task ?? 'without a task'}.`)
    if (one.status === 'Error' && !/\w+ \w+/.test(one.reason ?? '')) {
      add('wrong state', `${title} is in Error without a reason.`)
    }
  }
  return found
}

/** Whether a container has come to rest. */
export function isSettled({ status, task }: Pick<Listed, 'status' | 'task'>): boolean {
  return task === null && ['Running', 'Stopped', 'Created', 'Error'].includes(status)
}

function ofEngines({ projects, held }: FinalState): Violation[] {
  const known = new Map(
    projects.flatMap(({ project, containers }) =>
      containers.map((one) => [one.id, { ...one, about: `${project}/${one.name}` }] as const),
    ),
  )
  const byContainer = Map.groupBy(held, ({ container }) => container)
  const found: Violation[] = []
  for (const [id, copies] of byContainer) {
    const one = known.get(id)
    if (!one) found.push(violation('orphan', `${id} is in the engine of ${hostsOf(copies)} and in no list.`))
    else if (copies.length > 1) {
      const running = copies.filter(({ state }) => state === 'running').length
      found.push(
        violation('twice', `${one.about} (${id}) is in ${hostsOf(copies)}, ${running} of them run.`, one.about),
      )
    } else if (one.host !== copies[0]?.host) {
      found.push(
        violation(
          'orphan',
          `${one.about} (${id}) is at ${one.host} and in the engine of ${hostsOf(copies)}.`,
          one.about,
        ),
      )
    }
  }
  for (const [id, one] of known) {
    const copies = byContainer.get(id) ?? []
    const isRunning = copies.some(({ state }) => state === 'running')
    const should = { Running: true, Stopped: false, Created: false }[one.status]
    if (should === undefined) continue
    if (copies.length === 0)
      found.push(violation('lost', `${one.about} (${id}) is ${one.status}, and in no engine.`, one.about))
    else if (isRunning !== should) {
      const states = copies.map(({ state }) => state).join(', ')
      found.push(
        violation('wrong state', `${one.about} (${id}) is ${one.status}, and its engine says ${states}.`, one.about),
      )
    }
  }
  return found
}

const violation = (kind: ViolationKind, text: string, about?: string): Violation => ({
  kind,
  text,
  ...(about !== undefined && { about }),
})
const idsOf = (listed: readonly Listed[]) => listed.map(({ id }) => id).join(', ')
const hostsOf = (copies: readonly Held[]) => copies.map(({ host }) => host).join(', ')
