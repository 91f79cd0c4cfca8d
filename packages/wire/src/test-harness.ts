import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import net, { type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CertificateAuthority, createOrLoadCa, createRequest } from '@gantry/ca'
import { Fault } from '@gantry/kernel'
import { type Assignment, type ContainerId, defaultSpec, type HostFacts, type HostId } from '@gantry/model'
import type { AgentHost } from './agent-host.ts'
import { type AgentSessionOptions, runAgentSession } from './agent-session.ts'
import type { AgentCalls } from './calls.ts'
import type { Credentials } from './credentials.ts'
import { type Dial, dialTcp } from './dial.ts'
import type { Log } from './log.ts'
import type { AgentMessage, ServerMessage } from './messages.ts'
import { createRelay, type Relay, type RelayOptions } from './relay.ts'
import type { RelayReports } from './relay-ports.ts'

export const hostId = 'host-1' as HostId

/** A CA in a folder of its own. `at`: its clock. */
export async function temporaryCa(at: () => number = Date.now): Promise<CertificateAuthority> {
  const dir = await mkdtemp(join(tmpdir(), 'gantry-wire-'))
  const ca = await createOrLoadCa(dir, { now: at })
  await rm(dir, { recursive: true })
  return ca
}

export async function credentialsFrom(
  ca: CertificateAuthority,
  id: string = hostId,
  lifetimeMs?: number,
): Promise<Credentials> {
  const { key, csr } = await createRequest(id)
  const certificate = await ca.signAgent(csr, id, lifetimeMs)
  return { hostId: id, deployment: 'test', certificate, key, ca: ca.certificate }
}

export const facts: HostFacts = {
  hostname: 'machine',
  engine: { name: 'fake', version: '1', apiVersion: '1', rootDir: '/' },
  cpus: 2,
  memory: 1024,
  disk: 10,
  architecture: 'x86_64',
  osType: 'linux',
  os: 'test',
  kernelVersion: '1',
  runtimes: [],
  labels: {},
  agentVersion: '0',
}

export function assignment(id: string, version = 1): Assignment {
  return {
    id: id as ContainerId,
    projectId: 'p' as Assignment['projectId'],
    name: id,
    spec: defaultSpec('busybox'),
    imageRef: 'busybox',
    nics: [],
    mounts: [],
    sandbox: null,
    imageSource: null,
    wish: { version, generation: 1, power: { kind: 'created' }, paused: false, gone: null },
    seenGeneration: 0,
    failed: null,
  }
}

/** Remembers what was logged, so that a test can ask for it. */
export function memoryLog(): Log & { readonly messages: string[] } {
  const messages: string[] = []
  const take = (fields: object, message: string) => void messages.push(`${message} ${JSON.stringify(fields)}`)
  return { messages, info: take, warn: take, error: take }
}

/** A control core that remembers every report as text, in order. */
export function memoryReports(assigned: () => Assignment[] | Promise<Assignment[]> = () => []) {
  const seen: string[] = []
  const reports: RelayReports = {
    async connected(host) {
      seen.push(`connected ${host}`)
      return { fabric: [], volumes: [], assignments: await assigned() }
    },
    disconnected: async (host) => void seen.push(`disconnected ${host}`),
    observed: async (_, id, __, gone) => void seen.push(`observed ${id} ${gone}`),
    step: async (_, { step }) => void seen.push(`step ${step}`),
    volume: async (_, { id, state }) => void seen.push(`volume ${id} ${state}`),
    engine: async (_, up) => void seen.push(`engine ${up}`),
  }
  return { seen, reports }
}

/** An agent's machine: the calls that the test gives, and every message it was told, in order. */
export function fakeHost(given: Partial<AgentCalls> = {}) {
  const told: string[] = []
  let send: ((message: AgentMessage) => void) | null = null
  const refuse = async () => {
    throw new Fault('request.unsupported', { feature: 'This', reason: 'not in this test' })
  }
  const calls = new Proxy(given, { get: (target, name) => Reflect.get(target, name) ?? refuse }) as AgentCalls
  const host: AgentHost = {
    calls,
    facts: async () => facts,
    session(sender) {
      send = sender
      told.push('session')
      return (message: ServerMessage) => {
        told.push(textOf(message))
      }
    },
  }
  return { host, told, send: (message: AgentMessage) => send?.(message) }
}

/** A message in a few characters: `c1@2`, `kept`, `synced`, `fabric n1`, `volume v1`. */
export function textOf(message: ServerMessage): string {
  if (message.kind === 'synced' || message.kind === 'kept') return message.kind
  if (message.kind === 'assign') return `${message.assignment.id}@${message.assignment.wish.version}`
  if (message.kind === 'volume') return `volume ${message.plan.id}`
  return `fabric ${message.plan.networks.map(({ id }) => id).join(' ')}`
}

/** Waits until `ready` holds; looks after each turn of the event loop that has a timer. */
export async function until(ready: () => boolean, what = 'it', ms = 10_000): Promise<void> {
  const end = Date.now() + ms
  while (!ready()) {
    if (Date.now() > end) throw new Error(`waited in vain until ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** One relay and as many agents as a test starts, all ended by `close`. */
export async function relayBench(over: Partial<RelayOptions> = {}) {
  const ca = await temporaryCa()
  const server = await ca.issueServer(['localhost'])
  const log = memoryLog()
  const ending = new AbortController()
  const agents: Promise<void>[] = []
  const start = (port = 0): Promise<Relay> =>
    createRelay({
      ...server,
      listen: { host: '127.0.0.1', port },
      ca: ca.certificate,
      reports: memoryReports().reports,
      enrol: async () => ({ hostId, deployment: 'test' }),
      sign: (csr, id) => ca.signAgent(csr, id),
      log,
      ...over,
    })
  const bench = {
    ca,
    log,
    relay: await start(),
    agentSignal: ending.signal,
    dial: ((signal) => dialTcp({ host: '127.0.0.1', port: bench.relay.port })(signal)) as Dial,
    async restart() {
      const { port } = bench.relay
      await bench.relay.close()
      bench.relay = await start(port)
    },
    /** Starts an agent and waits until it is connected. */
    async agent(host: AgentHost, { wait = true, ...options }: Partial<AgentSessionOptions> & { wait?: boolean } = {}) {
      const running = runAgentSession({
        dial: bench.dial,
        credentials: await credentialsFrom(ca),
        renewed: async () => {},
        host,
        log,
        signal: ending.signal,
        ...options,
      })
      running.catch(() => {})
      agents.push(running)
      if (wait) await until(() => bench.relay.links.connected(hostId), 'the agent is connected')
      return { running }
    },
    async close() {
      ending.abort()
      await Promise.allSettled(agents)
      await bench.relay.close()
    },
  }
  return bench
}

/** A TCP proxy whose connections can be cut, or frozen so that nothing passes and nobody is told. */
export async function unreliableLine(port: number) {
  const pairs = new Set<[net.Socket, net.Socket]>()
  const server = net.createServer((near) => {
    const far = net.connect(port, '127.0.0.1')
    const pair: [net.Socket, net.Socket] = [near, far]
    pairs.add(pair)
    for (const socket of pair) socket.on('error', () => {}).on('close', () => pair.map((other) => other.destroy()))
    near.pipe(far).pipe(near)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    cut: () => [...pairs].flat().map((socket) => socket.destroy()),
    freeze: () => [...pairs].flat().map((socket) => socket.unpipe().pause()),
    close: () => {
      server.close()
      for (const socket of [...pairs].flat()) socket.destroy()
    },
  }
}
