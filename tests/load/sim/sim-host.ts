import {
  type AgentCalls,
  type AgentHost,
  type AgentMessage,
  holdingDigest,
  holdingsDigest,
  type ServerMessage,
} from '@gantry/wire'
import { Fault } from '@gantry/kernel'
import type { Assignment, ContainerId, EngineContainer, HostFacts, Observed } from '@gantry/model'

/** What all hosts of one process have done so far. */
export interface Counts {
  connected: number
  /** Sessions that were told everything. */
  synced: number
  /** Containers that a host was told of for the first time: they were placed. */
  placed: number
  /** Reports of a container's state that were sent. */
  reported: number
  /** Sessions whose server had nothing to tell of containers, nor the host of them. */
  kept: number
}

export const noCounts = (): Counts => ({ connected: 0, synced: 0, placed: 0, reported: 0, kept: 0 })

interface Held {
  readonly version: number
  readonly generation: number
  readonly running: boolean
  /** Of what was told and said of it. Kept, since many hosts share what each has for itself. */
  readonly digest: string
}

/**
 * A machine without an engine: it says of each container what an agent says of one that is created and started at once. Everything
 * between it and the server is real.
 */
export function simHost(name: string, room: number, counts: Counts): AgentHost {
  const held = new Map<ContainerId, Held>()
  const calls = new Proxy({}, { get: () => () => Promise.reject(notHere()) }) as AgentCalls
  return {
    calls,
    facts: async () => factsOf(name, room),
    holds: () => holdingsDigest([...held].map(([id, { digest }]) => [id, digest] as const)),
    session(send, signal) {
      counts.connected += 1
      let synced = false
      signal.addEventListener('abort', () => {
        counts.connected -= 1
        if (synced) counts.synced -= 1
      })
      return (message: ServerMessage) => {
        if (message.kind === 'assign') {
          if (!held.has(message.assignment.id)) counts.placed += 1
          for (const report of carryOut(held, message.assignment)) {
            if (report.kind === 'observed') counts.reported += 1
            send(report)
          }
        } else if (message.kind === 'kept') counts.kept += 1
        else if (message.kind === 'synced' && !synced) {
          synced = true
          counts.synced += 1
        }
      }
    },
  }
}

function notHere(): Fault {
  return new Fault('request.unsupported', { feature: 'A call', reason: 'the host is simulated' })
}

function carryOut(held: Map<ContainerId, Held>, told: Assignment): AgentMessage[] {
  const { id, wish, spec } = told
  if (wish.gone) {
    held.delete(id)
    const observed: Observed = { engine: null, settled: wish.version, failure: null }
    return [{ kind: 'observed', id, observed, gone: true }]
  }
  const before = held.get(id)
  const running = wish.power.kind === 'running'
  const now = { version: wish.version, generation: wish.generation, running }
  const observed: Observed = { engine: engineOf(id, now, spec), settled: wish.version, failure: null }
  held.set(id, { ...now, digest: holdingDigest({ told, observed }) })
  const at = Date.now()
  const step = (name: string): AgentMessage => ({
    kind: 'step',
    id,
    version: wish.version,
    step: name,
    startedAt: at,
    finishedAt: at,
    error: null,
  })
  const steps: AgentMessage[] = []
  if (before?.generation !== wish.generation) steps.push(step('create'))
  if (running && !before?.running) steps.push(step('start'))
  return [...steps, { kind: 'observed', id, observed, gone: false }]
}

const startedAt = '2026-01-01T00:00:00.000000001Z'

function engineOf(
  id: ContainerId,
  { generation, running }: Omit<Held, 'digest'>,
  spec: Assignment['spec'],
): EngineContainer {
  return {
    engineId: id.replaceAll('-', '').repeat(2),
    generation,
    state: running ? 'running' : 'created',
    startedAt: running ? startedAt : null,
    finishedAt: null,
    exitCode: null,
    oomKilled: false,
    error: '',
    health: null,
    restartCount: 0,
    nics: [],
    cpu: spec.cpu,
    memory: spec.memory,
    command: ['sleep', '100000'],
    entrypoint: [],
    workdir: '/',
    hostname: id.slice(0, 12),
    ports: [],
    imageDigest: `sha256:${'0'.repeat(64)}`,
  }
}

/** What each container is promised: MiB. */
export const memoryEach = 512

/** `room`: for so many containers, where memory may be promised once. */
function factsOf(hostname: string, room: number): HostFacts {
  return {
    hostname,
    engine: { name: 'simulated', version: '1', apiVersion: '1.44', rootDir: '/' },
    cpus: 64,
    memory: room * memoryEach,
    disk: 1000,
    architecture: 'x86_64',
    osType: 'linux',
    os: 'simulated',
    kernelVersion: '6',
    runtimes: ['runc'],
    labels: {},
    agentVersion: '0',
  }
}
