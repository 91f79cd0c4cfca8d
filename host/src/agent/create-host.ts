import { assertNever, type Clock, limiter, randomIds, reasonOf } from '@gantry/kernel'
import type { Assignment, ContainerId, HostFacts } from '@gantry/model'
import {
  type AgentHost,
  type AgentMessage,
  holdingDigest,
  holdingsDigest,
  type RegistryDial,
  type ServerMessage,
} from '@gantry/wire'
import { ImageBuilds } from '../build/image-builds.ts'
import { agentCalls } from '../calls/agent-calls.ts'
import { type ExecEnds, execEnds } from '../calls/exec-ends.ts'
import { openEngine } from '../engine/engine.ts'
import type { ContainerSummary, EngineEvent } from '../engine/engine-types.ts'
import { hostImages } from '../images/host-images.ts'
import { registryEndpoint } from '../images/registry-endpoint.ts'
import { hostNetwork } from '../network/host-network.ts'
import { hostVolumes, volumeProblem } from '../volumes/index.ts'
import { actsOn } from './acts.ts'
import { ContainerWorker, type WorkerContext } from './container-worker.ts'
import { engineLink } from './engine-link.ts'
import { factsWithoutEngine, hostFacts, problemFacts } from './host-facts.ts'
import type { HostLog } from './host-log.ts'
import { inspectOurs } from './inspect-ours.ts'
import { labels } from './labels.ts'
import { leaseNote } from './lease-note.ts'
import { Leases, machineUptime } from './leases.ts'
import { killStrays } from './stray-processes.ts'
import { remakings } from './remakings.ts'
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
  /** The agent's own folder; no other agent may use it. */
  readonly stateDir: string
  /** Opens a connection with the registry of the server. */
  readonly dialRegistry: RegistryDial
  /** Path of the network namespace that the engine runs in; the agent's own unless told. */
  readonly engineNetns?: string
  /** Where the engine looks for network drivers. */
  readonly pluginFolder?: string
  /** How long a start waits for Neutron's agent to let a container's traffic pass. Milliseconds; 0: not at all. */
  readonly portWaitMs?: number
  /** What Neutron's agent on this machine calls it, where that is not `name`. */
  readonly neutronHost?: string
  /** Where this machine is a VM whose own port, at interface `link`, carries those of its containers. */
  readonly nested?: { readonly kind: 'vlan' | 'macvlan'; readonly link: string }
  /** The address by which storages see this machine; that of its way to everywhere unless told. */
  readonly storageAddress?: string
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

  const { name, agentVersion, neutronHost, nested } = options
  const who = { name, labels: options.labels, agentVersion, neutronHost, nested }
  const report = (message: AgentMessage) => send?.(message)
  const work = (name: string, task: Promise<unknown>) => {
    task.catch((error: unknown) => {
      if (!signal.aborted) log.warn({ task: name, reason: reasonOf(error) }, 'background task failed')
    })
  }

  const network = hostNetwork({
    engine,
    deployment,
    log,
    ...(options.engineNetns !== undefined && { engineNetns: options.engineNetns }),
    ...(options.pluginFolder !== undefined && { pluginFolder: options.pluginFolder }),
    ...(options.portWaitMs !== undefined && { portWaitMs: options.portWaitMs }),
  })
  const { fabric, wiring } = network
  const volumes = hostVolumes({
    stateDir: options.stateDir,
    log,
    clock,
    ...(name !== undefined && { hostName: name }),
    ...(options.storageAddress !== undefined && { storageAddress: options.storageAddress }),
    report: (report) => send?.({ kind: 'volume', report }),
    signal,
  })
  const endpoint = registryEndpoint({
    space: options.engineNetns ?? null,
    dial: options.dialRegistry,
    stateDir: options.stateDir,
    log,
  })
  const images = hostImages(engine, endpoint)
  const builds = new ImageBuilds({ engine, deployment, stateDir: options.stateDir, clock, ids: randomIds })
  let buildsCleared = false
  const problems = Promise.all([network.problem, volumeProblem(options.stateDir)])

  /** What the engine cannot know. */
  const ownFacts = async (): Promise<Partial<HostFacts>> => {
    const found = problemFacts(await problems)
    // Where no volume can be, none is to be attached.
    if (found.volumeProblem !== undefined) return found
    return { ...found, connector: await volumes.connector() }
  }

  const leases = new Leases({
    containers: engine.containers,
    ours,
    note: leaseNote(options.stateDir),
    uptime: machineUptime,
    log,
    signal,
  })

  const remaking = remakings(options.stateDir)
  const allowPrivileged = options.allowPrivileged ?? false
  const context: WorkerContext = {
    leases,
    remaking,
    acts: actsOn({ engine, images, wiring, volumes, deployment, allowPrivileged, remaking }),
    inspect: inspectOurs(engine.containers, deployment, wiring),
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
      leases.forget(id)
      graves.add(id, wish.generation)
      work('release', release(id))
      // Not before `synced`, which keeps the tombstones of what was assigned in this session.
      if (synced) assigned.delete(id)
    },
  }

  /** Gives back what was held for a container that is no more, unless one of that id has come again. */
  const release = async (id: ContainerId) => {
    if (workers.has(id)) return
    await (await wiring()).release(id)
    await volumes.release(id)
  }

  const removeOrphan = ({ Id, Labels, State }: ContainerSummary) =>
    ending(async () => {
      const id = Labels[labels.container] as ContainerId | undefined
      if (id !== undefined && (assigned.has(id) || workers.has(id))) return
      log.warn({ container: id, engineId: Id }, 'orphan removed')
      if (State === 'created' || State === 'exited') await killStrays(Id)
      await engine.containers.remove(Id, signal)
      if (id !== undefined) leases.forget(id)
    })

  /** Removes what no assignment names. Only ever after `synced`. */
  const sweep = async (containers: readonly ContainerSummary[]) => {
    if (synced) await Promise.all(containers.map(removeOrphan))
    const held = synced ? [...(await volumes.held()), ...fabric.nics.containers()] : []
    for (const id of new Set(held)) if (synced && !assigned.has(id)) await release(id)
    await (await wiring()).sweep(synced, signal)
  }

  /** Compares everything with the engine: on its return (`all`), at `synced`, and now and then. */
  const resync = async (all: boolean) => {
    const containers = await engine.containers.list([ours], signal)
    const byId = new Map(containers.map((container) => [container.Labels[labels.container] ?? '', container]))
    listed = byId
    for (const [id, worker] of workers) {
      const there = byId.get(id)
      const same = there?.Id === worker.engine?.engineId && there?.State === worker.engine?.state
      if (all || !same) worker.lookAgain()
    }
    work('orphan sweep', sweep(containers))
    work('forgetting of images', images.forgetRest(signal))
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
        await leases.watch()
        facts = { ...(await hostFacts(engine, who, signal)), ...(await ownFacts()) }
        if (told !== '' && told !== JSON.stringify(facts)) {
          told = JSON.stringify(facts)
          report({ kind: 'hello', facts })
        }
        await resync(true)
        // What a dead agent's builds left; ours begin only now.
        if (!buildsCleared) work('clearing of builds', builds.clear(signal))
        buildsCleared = true
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
    leases.assigned(assignment)
    const worker = workers.get(id)
    if (worker) {
      worker.assign(assignment)
      fabric.setNics(id, worker.assignment.projectId, worker.assignment.nics)
      return
    }
    fabric.setNics(id, assignment.projectId, assignment.nics)
    const buried = graves.generation(id)
    const known = listed === null || listed.has(id) ? 'unknown' : 'absent'
    const seen = { ...assignment, seenGeneration: Math.max(assignment.seenGeneration, buried) }
    const fresh = new ContainerWorker(seen, known, context)
    workers.set(id, fresh)
    fresh.wake()
  }

  const holds = (): string | null => {
    const digests: [ContainerId, string][] = []
    for (const [id, { holding }] of workers) {
      if (!holding) return null
      digests.push([id, holdingDigest(holding)])
    }
    return holdingsDigest(digests)
  }

  /** Each as it was told last. Whoever has changed since `hello` says so by itself. */
  const allKept = () => {
    for (const [id, { assignment }] of workers) {
      assigned.add(id)
      leases.assigned(assignment)
      fabric.setNics(id, assignment.projectId, assignment.nics)
    }
  }

  const allAssigned = () => {
    synced = true
    leases.accepted()
    graves.keepOnly(assigned)
    remaking.keepOnly(assigned)
    for (const [id, worker] of workers) {
      if (assigned.has(id)) continue
      worker.retire()
      workers.delete(id)
    }
    work('network sweep', fabric.synced())
    if (link.state.up) work('resync', resync(false))
  }

  const take = (message: ServerMessage) => {
    switch (message.kind) {
      case 'assign':
        return assign(message.assignment)
      case 'fabric':
        return fabric.take(message.plan)
      case 'volume':
        return volumes.take(message.plan)
      case 'kept':
        return allKept()
      case 'synced':
        return allAssigned()
      default:
        return assertNever(message, 'message')
    }
  }

  return {
    facts: async () => {
      const found = facts ?? (await hostFacts(engine, who, signal).catch(() => factsWithoutEngine(who)))
      const now = { ...found, ...(await ownFacts()) }
      told = JSON.stringify(now)
      return now
    },
    holds,
    calls: agentCalls({
      engine,
      deployment,
      hostName: options.name ?? 'this host',
      ends,
      builds,
      images,
      volumes,
      engineIdOf: (id) => workers.get(id)?.engine?.engineId ?? null,
      hold: (id, task) => workers.get(id)?.hold(task) ?? task(),
    }),
    session: (sendNow, sessionSignal, ping) => {
      leases.begin(ping, sessionSignal)
      send = sendNow
      synced = false
      assigned = new Set()
      fabric.begin()
      const { up, reason } = link.state
      report({ kind: 'engine', up, reason })
      sessionSignal.addEventListener('abort', () => {
        if (send !== sendNow) return
        send = null
        synced = false
      })
      return (message) => {
        if (sessionSignal.aborted) return
        take(message)
      }
    },
    close: async () => {
      clearInterval(timer)
      leases.close()
      closing.abort(new Error('the agent is closing'))
      await builds.close()
      await network.close()
      await endpoint.close()
      await engine.close()
    },
  }
}

/** Events that tell nothing about a container's state (or, as `create`, only of our own doing). */
const uninteresting =
  /^(create|exec_|kill|stop|top|attach|detach|resize|archive|extract|commit|export|copy|rename|init|mount|unmount|cleanup)/
