import { Fault } from '@gantry/kernel'
import {
  type Assignment,
  type ContainerId,
  type EngineContainer,
  type FabricPlan,
  type HostFacts,
  type HostId,
  nextStep,
  type Observed,
  type Seen,
  type VolumePlan,
} from '@gantry/model'
import { anEngineContainer } from '@gantry/model/testing'
import { type AgentCalls, holdingDigest, holdingsDigest } from '@gantry/wire'
import type { HostLinks, HostReports } from '../ports/hosts.ts'

/**
 * A host without an engine, for tests of control at scale and of fault timing: it takes steps in memory, in the order and
 * with the rules of a real agent. What really happens in an engine is tested with a real one.
 */
export interface SimHost {
  readonly engine: Map<ContainerId, EngineContainer>
  /** Networks, groups and routers it was told of, by id. */
  readonly fabric: Map<string, object>
  /** Volumes and snapshots that are there. */
  readonly volumes: Map<string, VolumePlan>
  /** What a real host could not have done: an assignment that came before what it stands on. */
  readonly problems: string[]
  /** Its last session began without a word about containers, since both ends knew everything. */
  readonly kept: boolean
  connect(): Promise<void>
  disconnect(): Promise<void>
  /** Resolves when nothing is left to do. */
  idle(): Promise<void>
  /** The container's process ends by itself. */
  exit(id: ContainerId, code: number): Promise<void>
  /** The engine does something to it by itself; null: it vanishes. */
  becomes(id: ContainerId, change: Partial<EngineContainer> | null): Promise<void>
  /** Makes steps of this kind fail with a reason. */
  failing: { step: string; reason: string } | null
}

export const simFacts: HostFacts = {
  hostname: 'sim',
  engine: { name: 'sim', version: '1', apiVersion: '1.44', rootDir: '/' },
  cpus: 64,
  memory: 1_000_000,
  disk: 1000,
  architecture: 'x86_64',
  osType: 'linux',
  os: 'sim',
  kernelVersion: '6',
  runtimes: ['runc'],
  labels: {},
  agentVersion: '0',
}

export function createSimHost(id: HostId, reports: () => HostReports): { host: SimHost; links: HostLinks } {
  const engine = new Map<ContainerId, EngineContainer>()
  const assigned = new Map<ContainerId, Assignment>()
  const fabric = new Map<string, object>()
  const volumes = new Map<string, VolumePlan>()
  const problems: string[] = []
  /** What was reported of each last. */
  const said = new Map<ContainerId, Observed>()
  let kept = false
  let connected = false
  /** What is told while the snapshot of a new session is read: a relay holds it back until the snapshot is sent. */
  let early: (() => void)[] | null = null
  let stamp = 0
  let work: Promise<void> = Promise.resolve()

  function build({ networks, groups, routers, gone }: FabricPlan): void {
    for (const object of [...networks, ...groups, ...routers]) fabric.set(object.id, object)
    for (const object of gone) fabric.delete(object)
  }

  function keep(plan: VolumePlan): void {
    if (plan.gone) volumes.delete(plan.id)
    else volumes.set(plan.id, plan)
    const state = plan.gone ? 'gone' : 'available'
    void enqueue(() => reports().volume(id, { kind: plan.kind, id: plan.id, state, reason: '' }))
  }

  function accept(assignment: Assignment): void {
    for (const { networkId, groups } of assignment.wish.gone ? [] : assignment.nics) {
      for (const needed of [networkId, ...groups]) {
        if (!fabric.has(needed)) problems.push(`${assignment.id} came before ${needed}`)
      }
    }
    assigned.set(assignment.id, assignment)
  }

  const inTurn = (take: () => void): void => {
    if (early) early.push(take)
    else take()
  }

  const enqueue = (task: () => Promise<void>) => {
    work = work.then(task)
    return work
  }

  async function carry(containerId: ContainerId): Promise<void> {
    for (let count = 0; connected && count < 50; count += 1) {
      const assignment = assigned.get(containerId)
      if (!assignment) return
      const seen: Seen = { image: 'present', engine: engine.get(containerId) ?? null }
      const step = nextStep(assignment, seen)
      const report = (how: Omit<Observed, 'engine'>, gone = false) => {
        const observed = { engine: engine.get(containerId) ?? null, ...how }
        said.set(containerId, observed)
        return reports().observed(id, containerId, observed, gone)
      }
      const version = assignment.wish.version
      if (step.kind === 'settle') {
        if (step.gone) assigned.delete(containerId)
        return report({ settled: version, failure: null }, step.gone)
      }
      if (step.kind === 'fail') return report({ settled: version, failure: step.failure })
      const broken = host.failing?.step === step.kind ? host.failing : null
      await reports().step(id, {
        id: containerId,
        version,
        step: step.kind,
        startedAt: 1,
        finishedAt: 2,
        error: broken?.reason ?? null,
      })
      if (broken) return report({ settled: version, failure: broken })
      take(assignment, step.kind)
      const newest = assigned.get(containerId) ?? assignment
      const generation = engine.get(containerId)?.generation ?? 0
      assigned.set(containerId, { ...newest, seenGeneration: Math.max(newest.seenGeneration, generation) })
      await report({ settled: version - 1, failure: null })
    }
  }

  function take(assignment: Assignment, kind: string): void {
    const current = engine.get(assignment.id)
    const set = (change: Partial<EngineContainer>) => current && engine.set(assignment.id, { ...current, ...change })
    if (kind === 'create') engine.set(assignment.id, created(assignment))
    if (kind === 'start') set({ state: 'running', startedAt: `t${++stamp}`, exitCode: null })
    if (kind === 'stop') set({ state: 'exited', exitCode: 143, finishedAt: `t${++stamp}` })
    if (kind === 'pause') set({ state: 'paused' })
    if (kind === 'unpause') set({ state: 'running' })
    if (kind === 'update') set({ cpu: assignment.spec.cpu, memory: assignment.spec.memory })
    if (kind === 'connect' || kind === 'disconnect') set({ nics: assignment.nics.map(({ portId }) => portId) })
    if (kind === 'remove') engine.delete(assignment.id)
  }

  /** As a real agent: only where nothing is to be done, or to be said that was not. */
  function holds(): string | undefined {
    const digests: [ContainerId, string][] = []
    for (const [containerId, told] of assigned) {
      const observed = said.get(containerId)
      if (observed?.settled !== told.wish.version || told.lease !== undefined || told.spec.autoRemove) return undefined
      if (JSON.stringify(observed.engine) !== JSON.stringify(engine.get(containerId) ?? null)) return undefined
      digests.push([containerId, holdingDigest({ told, observed })])
    }
    return holdingsDigest(digests)
  }

  const host: SimHost = {
    get kept() {
      return kept
    },
    engine,
    fabric,
    volumes,
    problems,
    failing: null,
    async connect() {
      connected = true
      early = []
      const plan = await reports().connected(id, simFacts, holds())
      kept = plan.kept === true
      const all = kept ? [...assigned.values()] : plan.assignments
      fabric.clear()
      for (const piece of plan.fabric) build(piece)
      for (const volume of plan.volumes) keep(volume)
      const ids = new Set(all.map((assignment) => assignment.id))
      for (const orphan of engine.keys()) if (!ids.has(orphan)) engine.delete(orphan)
      assigned.clear()
      for (const assignment of all) accept(assignment)
      if (!kept) for (const assignment of all) void enqueue(() => carry(assignment.id))
      const later = early
      early = null
      for (const take of later) take()
    },
    async disconnect() {
      connected = false
      await work
      await reports().disconnected(id)
    },
    async idle() {
      let last: Promise<void> | null = null
      while (last !== work) {
        last = work
        await last
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    },
    exit: (containerId, code) =>
      host.becomes(containerId, { state: 'exited', exitCode: code, finishedAt: `t${++stamp}` }),
    async becomes(containerId, change) {
      const current = engine.get(containerId)
      if (current && change) engine.set(containerId, { ...current, ...change })
      if (!change) engine.delete(containerId)
      await enqueue(() => carry(containerId))
    },
  }
  const links: HostLinks = {
    connected: (hostId) => hostId === id && connected,
    assign(hostId, assignment) {
      if (hostId !== id || !connected) return
      inTurn(() => {
        const known = assigned.get(assignment.id)
        if (known && known.wish.version > assignment.wish.version) return
        accept(assignment)
        void enqueue(() => carry(assignment.id))
      })
    },
    tell(hostId, message) {
      if (hostId !== id || !connected) return
      inTurn(() => (message.kind === 'fabric' ? build(message.plan) : keep(message.plan)))
    },
    calls(): AgentCalls {
      throw new Fault('host.unreachable', { host: 'sim' })
    },
  }
  return { host, links }
}

function created({ wish, spec, nics }: Assignment): EngineContainer {
  return anEngineContainer({
    engineId: `e${wish.generation}`,
    generation: wish.generation,
    nics: nics.slice(0, 1).map(({ portId }) => portId),
    cpu: spec.cpu,
    memory: spec.memory,
  })
}
