import { randomUUID } from 'node:crypto'
import { EventEmitter, on } from 'node:events'
import type { ContainerEvent, Control, TokenVerifier } from '@gantry/control'
import { unfaked } from '@gantry/control/testing'
import { Fault } from '@gantry/kernel'
import {
  type Caller,
  defaultQuotas,
  type Host,
  type HostId,
  nothingUsed,
  type ProjectId,
  type UserId,
} from '@gantry/model'
import { fakeAudit } from './fake-audit.ts'
import { fakeCapsules } from './fake-capsules.ts'
import { FakeContainers } from './fake-containers.ts'
import { type FakeImages, fakeImages } from './fake-images.ts'
import { FakeNetwork } from './fake-network.ts'
import { fakeRegistries } from './fake-registries.ts'
import { FakeStorage } from './fake-storage.ts'
import { fakeWebhooks } from './fake-webhooks.ts'

export interface FakeCloud {
  readonly control: Control
  readonly verifier: TokenVerifier
  readonly containers: FakeContainers
  readonly network: FakeNetwork
  readonly storage: FakeStorage
  readonly registries: ReturnType<typeof fakeRegistries>
  readonly images: FakeImages
  /** Ends when the number of open watches is `count`. */
  watchers(): number
  emit(event: ContainerEvent): void
}

/** A whole control in memory. Tokens: `demo-token`, `other-token` (another project), `admin-token`. */
export function fakeCloud(): FakeCloud {
  const bus = new EventEmitter().setMaxListeners(0)
  const emit = (event: ContainerEvent): void => void bus.emit('event', event)
  const network = new FakeNetwork()
  const storage = new FakeStorage()
  const registries = fakeRegistries()
  const images = fakeImages()
  const containers = new FakeContainers({ uuid: randomUUID, now: Date.now, emit, network, storage })
  const control: Control = {
    containers: containers.api,
    images: images.verbs,
    registry: images.registry,
    hosts: fakeHosts(containers.api),
    servers: { list: async () => [] },
    network: network.verbs,
    storage: storage.verbs,
    capsules: fakeCapsules(containers.api),
    registries: registries.verbs,
    engine: unfaked('engine'),
    engineImages: images.engineImages,
    policy: unfaked('policy'),
    webhooks: fakeWebhooks(),
    audit: fakeAudit(),
    activity: unfaked('activity'),
    consoles: { open: async () => notFaked('Opening consoles'), connect: async () => notFaked('Opening consoles') },
    quotas: {
      get: async () => ({ limits: defaultQuotas, used: nothingUsed }),
      defaults: async () => defaultQuotas,
      set: async ({ isAdmin }, _project, limits) => {
        if (!isAdmin) refuse(false, 'Changing quotas')
        return { ...defaultQuotas, ...limits }
      },
      clear: async () => {},
      getClass: async () => defaultQuotas,
      setClass: async (_caller, _name, limits) => ({ ...defaultQuotas, ...limits }),
    },
    events: {
      watch: async function* (caller, { allProjects = false }, signal) {
        if (allProjects && !caller.isAdmin) refuse(false, 'Watching every project')
        try {
          for await (const [event] of on(bus, 'event', { signal })) {
            if (allProjects || event.projectId === caller.projectId) yield event
          }
        } catch (error) {
          if (!signal.aborted) throw error
        }
      },
      // oxlint-disable-next-line require-yield
      changes: async function* () {
        throw new Fault('request.unsupported', { feature: 'reading events', reason: 'this is a fake' })
      },
    },
  }
  const watchers = () => bus.listenerCount('event')
  return { control, verifier: fakeVerifier(), containers, network, storage, registries, images, watchers, emit }
}

function refuse(allowed: boolean, action: string): never {
  if (allowed) throw new Fault('request.unsupported', { feature: action, reason: 'this is a fake' })
  throw new Fault('policy.forbidden', { action, reason: 'it is for administrators only' })
}

function notFaked(feature: string): never {
  throw new Fault('request.unsupported', { feature, reason: 'this is a fake' })
}

function fakeVerifier(): TokenVerifier {
  const people: Record<string, [string, string, boolean]> = {
    'demo-token': ['demo', 'project-demo', false],
    'other-token': ['other', 'project-other', false],
    'admin-token': ['admin', 'project-admin', true],
  }
  return {
    verify: async (token, requestId): Promise<Caller> => {
      const person = Object.hasOwn(people, token) ? people[token] : undefined
      if (!person) throw new Fault('auth.required', { reason: 'this one is not known' })
      const [userName, projectName, isAdmin] = person
      const roles = isAdmin ? ['admin'] : ['member']
      const ids = { userId: `user-${userName}` as UserId, projectId: projectName as ProjectId }
      return { ...ids, userName, projectName, roles, isAdmin, requestId }
    },
  }
}

function fakeHosts(containers: Control['containers']): Control['hosts'] {
  let host: Host = {
    id: 'h1' as HostId,
    name: 'host-1',
    availabilityZone: 'nova',
    facts: {
      hostname: 'host-1',
      engine: { name: 'Docker', version: '20.10', apiVersion: '1.41', rootDir: '/var/lib/docker' },
      cpus: 4,
      memory: 8192,
      disk: 100,
      architecture: 'x86_64',
      osType: 'linux',
      os: 'Debian',
      kernelVersion: '6',
      runtimes: ['runc'],
      labels: {},
      agentVersion: '0.1.0',
    },
    disabled: false,
    disabledReason: null,
    forcedDown: false,
    createdAt: 0,
    updatedAt: 0,
    lastSeenAt: 0,
    connected: true,
    reportCount: 1,
    used: { containers: 1, cpu: 1, memory: 512, disk: 10 },
  }
  const find = (caller: Caller, ref: string): Host => {
    if (!caller.isAdmin) refuse(false, 'Looking at hosts')
    if (ref !== host.id && ref !== host.name) throw new Fault('host.not-found', { ref })
    return host
  }
  const change = (caller: Caller, ref: string, patch: Partial<Host>): Host => {
    host = { ...find(caller, ref), ...patch }
    return host
  }
  return {
    list: async (caller) => [find(caller, 'h1')],
    get: async (caller, ref) => find(caller, ref),
    enable: async (caller, ref) => change(caller, ref, { disabled: false, disabledReason: null }),
    disable: async (caller, ref, reason) => change(caller, ref, { disabled: true, disabledReason: reason }),
    forceDown: async (caller, ref, forcedDown) => change(caller, ref, { forcedDown }),
    drain: async (caller, ref) => {
      change(caller, ref, { disabled: true, disabledReason: 'it is being drained' })
      return { moving: [], staying: [] }
    },
    remove: async (caller, ref) => void find(caller, ref),
    explain: async (caller, ref) => {
      await containers.get(caller, ref)
      const why = 'out of memory'
      const reasons = [{ why, hosts: 1, remedy: 'Ask for less memory.' }]
      const verdicts = caller.isAdmin ? [{ host, refusals: [why], isThere: true }] : []
      return { total: 1, fitting: 0, reasons, hosts: verdicts }
    },
    instances: async () => [],
    availabilityZones: async () => ['nova'],
  }
}
