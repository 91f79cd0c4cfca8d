import { type Clock, limiter, reasonOf } from '@gantry/kernel'
import type { Assignment, ContainerId, HostFacts } from '@gantry/model'
import type { AgentHost, AgentMessage } from '@gantry/wire'
import { agentCalls } from '../calls/agent-calls.ts'
import { type ExecEnds, execEnds } from '../calls/exec-ends.ts'
import { openEngine } from '../engine/engine.ts'
import type { ContainerSummary, EngineEvent } from '../engine/engine-types.ts'
import { actsOn } from './acts.ts'
import { ContainerWorker, type WorkerContext } from './container-worker.ts'
import { engineLink } from './engine-link.ts'
import { factsWithoutEngine, hostFacts } from './host-facts.ts'
import type { HostLog } from './host-log.ts'
import { inspectOurs } from './inspect-ours.ts'
import { labels } from './labels.ts'
import { projectNetworks } from './project-networks.ts'
import { killStrays } from './stray-processes.ts'
import { tombstones } from './tombstones.ts'

export interface HostOptions {
  /** Path of the engine's unix socket. */
  readonly socketPath: string
  /** Which Gantry this host works for; what carries another deployment's label is never touched. */
  readonly deployment: string
  /** Shown to the user; the machine's own host name unless told. */
  readonly name?: string
  readonly labels: Readonly<Record<string, string>>
  readonly agentVersion: string
  readonly clock: Clock
  readonly log: HostLog
  /** Container starts under way at once; more than about eight only make an engine slower to answer the rest. */
  readonly startsAtOnce?: number
  readonly allowPrivileged?: boolean
  /** The safety net: how often everything is compared with the engine, ms. */
  readonly resyncMs?: number
}

export interface ContainerHost extends AgentHost {
  /** Ends the work; containers go on as they are. */
  close(): Promise<void>
}

/** One machine's side of Gantry: brings its engine to what it is assigned, and tells what happens there. */
export function createHost(options: HostOptions): ContainerHost {
  const { deployment, log, clock } = options
  const engine = openEngine(options.socketPath)
  const closing = new AbortController()
  const { signal } = closing
  const ours = `${labels.deployment}=${deployment}`
  const networks = projectNetworks(engine.networks, deployment)
  const ends: ExecEnds = execEnds()
  const workers = new Map<ContainerId, ContainerWorker>()
  const graves = tombstones(10_000)
  const ending = limiter(8)
  /** What the engine held when it was last listed; a container not in it needs no look before it is made. */
  let listed: ReadonlyMap<string, ContainerSummary> | null = null
  let send: ((message: AgentMessage) => void) | null = null
  /** Every assignment of this session; null until the relay has said that these are all. */
  let assigned = new Set<ContainerId>()
  let synced = false
  let facts: HostFacts | null = null
  /** What the relay was last told of them. */
  let told = ''

  const who = { name: options.name, labels: options.labels, agentVersion: options.agentVersion }
  const report = (message: AgentMessage) => send?.(message)
  const work = (name: string, task: Promise<unknown>) => {
    task.catch((error: unknown) => {
      if (!signal.aborted) log.warn({ task: name, reason: reasonOf(error) }, 'background task failed')
    })
  }

  const context: WorkerContext = {
    acts: actsOn({ engine, networks, deployment, allowPrivileged: options.allowPrivileged ?? false }),
    inspect: inspectOurs(engine.containers, deployment),
    link: () => link,
    starting: limiter(options.startsAtOnce ?? 8),
    ending,
    clock,
    log,
    report,
    signal,
    onGone: (worker) => {
      const { id, wish } = worker.assignment
      if (workers.get(id) !== worker) return
      worker.retire()
      workers.delete(id)
      graves.add(id, wish.generation)
      // Not before `synced`, which keeps the tombstones of what was assigned in this session.
      if (synced) assigned.delete(id)
    },
  }

  const dropNetwork = (project: Assignment['projectId']) => {
    const inUse = () => [...workers.values()].some((worker) => worker.assignment.projectId === project)
    if (synced && !inUse()) work('network removal', networks.drop(project, inUse, signal))
  }

  const removeOrphan = ({ Id, Labels, State }: ContainerSummary) =>
    ending(async () => {
      const id = Labels[labels.container] as ContainerId | undefined
      if (id !== undefined && (assigned.has(id) || workers.has(id))) return
      log.warn({ container: id, engineId: Id }, 'orphan removed')
      if (State === 'created' || State === 'exited') await killStrays(Id)
      await engine.containers.remove(Id, signal)
    })

  /** Removes what carries our label and no assignment names. Only ever after `synced`. */
  const sweep = async (containers: readonly ContainerSummary[], projects: readonly Assignment['projectId'][]) => {
    if (!synced) return
    await Promise.all(containers.map(removeOrphan))
    // Only here, not with a project's last container: the next one soon wants it again, and making it costs more than a start.
    for (const project of projects) dropNetwork(project)
  }

  /** Compares everything with the engine: on its return (`all`), at `synced`, and now and then. */
  const resync = async (all: boolean) => {
    const projects = await networks.load(signal)
    const containers = await engine.containers.list([ours], signal)
    const byId = new Map(containers.map((container) => [container.Labels[labels.container] ?? '', container]))
    listed = byId
    for (const [id, worker] of workers) {
      const there = byId.get(id)
      const same = there?.Id === worker.engine?.engineId && there?.State === worker.engine?.state
      if (all || !same) worker.lookAgain()
    }
    work('orphan sweep', sweep(containers, projects))
  }

  const onEvent = ({ Action, Actor }: EngineEvent) => {
    const id = (Actor.Attributes[labels.container] ?? '') as ContainerId
    if (Action.startsWith('exec_di')) ends.ended(Actor.Attributes['execID'] ?? '')
    else if (!uninteresting.test(Action)) workers.get(id)?.changed(Action)
  }

  const link = engineLink(
    {
      engine,
      label: ours,
      onEvent,
      onUp: async () => {
        facts = await hostFacts(engine, who, signal)
        if (told !== '' && told !== JSON.stringify(facts)) {
          told = JSON.stringify(facts)
          report({ kind: 'hello', facts })
        }
        await resync(true)
        ends.lost()
        log.info({ engine: facts.engine.name, version: facts.engine.version }, 'engine connected')
        report({ kind: 'engine', up: true, reason: '' })
      },
      onDown: (reason) => {
        listed = null
        log.warn({ reason }, 'engine unreachable')
        report({ kind: 'engine', up: false, reason })
      },
    },
    signal,
  )

  const timer = setInterval(() => {
    if (link.state.up) work('resync', resync(false))
  }, options.resyncMs ?? 60_000)
  timer.unref()

  const assign = (assignment: Assignment) => {
    const { id } = assignment
    assigned.add(id)
    const worker = workers.get(id)
    if (worker) return worker.assign(assignment)
    const buried = graves.generation(id)
    const known = listed === null || listed.has(id) ? 'unknown' : 'absent'
    const seen = { ...assignment, seenGeneration: Math.max(assignment.seenGeneration, buried) }
    const fresh = new ContainerWorker(seen, known, context)
    workers.set(id, fresh)
    fresh.wake()
  }

  const allAssigned = () => {
    synced = true
    graves.keepOnly(assigned)
    for (const [id, worker] of workers) {
      if (assigned.has(id)) continue
      worker.retire()
      workers.delete(id)
    }
    if (link.state.up) work('resync', resync(false))
  }

  return {
    facts: async () => {
      const now = facts ?? (await hostFacts(engine, who, signal).catch(() => factsWithoutEngine(who)))
      told = JSON.stringify(now)
      return now
    },
    calls: agentCalls({
      engine,
      deployment,
      hostName: options.name ?? 'this host',
      ends,
      engineIdOf: (id) => workers.get(id)?.engine?.engineId ?? null,
      hold: (id, task) => workers.get(id)?.hold(task) ?? task(),
    }),
    session: (sendNow, sessionSignal) => {
      send = sendNow
      synced = false
      assigned = new Set()
      const { up, reason } = link.state
      report({ kind: 'engine', up, reason })
      sessionSignal.addEventListener('abort', () => {
        if (send !== sendNow) return
        send = null
        synced = false
      })
      return (message) => {
        if (sessionSignal.aborted) return
        if (message.kind === 'assign') assign(message.assignment)
        else allAssigned()
      }
    },
    close: async () => {
      clearInterval(timer)
      closing.abort(new Error('the agent is closing'))
      await engine.close()
    },
  }
}

/** Events that tell nothing about a container's state (or, as `create`, only of our own doing). */
const uninteresting =
  /^(create|exec_|kill|stop|top|attach|detach|resize|archive|extract|commit|export|copy|rename|init|mount|unmount|cleanup)/
