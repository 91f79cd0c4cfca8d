import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  aloneCluster,
  type Control,
  createControl,
  defaultPolicy,
  type HostLinks,
  type Namespaces,
  type Policy,
  recorded,
  type Reconciler,
  soleServer,
  type Secrets,
  type Store,
  type Upstream,
} from '@gantry/control'
import { createSimHost, type SimHost } from '@gantry/control/testing'
import { type Clock, Fault, randomIds } from '@gantry/kernel'
import type { Caller, HostId, ProjectId, RequestId, UserId } from '@gantry/model'
import { backupFiles, embeddedBlobs, embeddedNetworks, embeddedVolumes } from '@gantry/providers-embedded'
import { webhookSender } from '@gantry/providers-upstream'
import { createStore, openSqlite } from '@gantry/store'
import type { AgentCalls } from '@gantry/wire'
import { sealedWith } from '../secrets.ts'
import { volumeCopies } from '../volume-copies.ts'
import { volumeHosts } from '../volume-hosts.ts'

const silent = { info() {}, warn() {}, error() {} }
const gauges = { step() {}, settled() {}, waiting() {} }

/** Where clients reach the registry of a world. */
export const ownRegistry = '127.0.0.1:9700'

export const simHostId = 'a0000000-0000-4000-8000-000000000001' as HostId

export interface World extends AsyncDisposable {
  readonly control: Control
  readonly reconciler: Reconciler
  readonly host: SimHost
  readonly store: Store
  /** Moves with every look at it; a test may move it further. */
  readonly clock: { at: number }
  /** A new server process on the same database. */
  restart(): Promise<void>
}

export interface WorldOptions {
  /** What the host can be asked. */
  readonly calls?: Partial<AgentCalls>
  readonly policy?: Partial<Policy>
  /** Other registries; none can be reached unless given. */
  readonly upstream?: Upstream
  /** Random ones unless given. */
  readonly secrets?: Secrets
  /** An empty one in memory unless given. */
  readonly db?: Awaited<ReturnType<typeof openSqlite>>
}

/** Control on a database in memory, with one host that works in memory. */
export async function aWorld({ calls = {}, policy = {}, ...rest }: WorldOptions = {}): Promise<World> {
  const db = rest.db ?? (await openSqlite(':memory:'))
  const clock = { at: 1_700_000_000_000, now: () => (clock.at += 1) }
  const store = recorded(createStore(db), { now: () => clock.at })
  let parts: { control: Control; reconciler: Reconciler }
  const { host, links } = createSimHost(simHostId, () => parts.reconciler.reports)
  const withCalls: HostLinks = { ...links, calls: () => calls as AgentCalls }
  const providers = await someProviders(store, links, clock)
  const start = () =>
    createControl({
      store,
      links: withCalls,
      ...providers,
      ...(rest.upstream && { upstream: rest.upstream }),
      ...(rest.secrets && { secrets: rest.secrets }),
      clock,
      ids: randomIds,
      log: silent,
      gauges,
      policy: { ...defaultPolicy, ...policy },
    })
  parts = start()
  await host.connect()
  return {
    get control() {
      return parts.control
    },
    get reconciler() {
      return parts.reconciler
    },
    host,
    store,
    clock,
    async restart() {
      await parts.reconciler[Symbol.asyncDispose]()
      await host.disconnect()
      parts = start()
      await parts.reconciler.recover()
      await host.connect()
    },
    async [Symbol.asyncDispose]() {
      // What it still reports would find the database closed.
      await host.disconnect()
      await parts.reconciler[Symbol.asyncDispose]()
      await db.destroy()
      await providers[Symbol.asyncDispose]()
    },
  }
}

/** The embedded providers, as a server has them, but for other registries: nobody is reached. */
export async function someProviders(store: Store, links: HostLinks, clock: Clock) {
  const networks = embeddedNetworks({ store, clock, ids: randomIds, publicCidr: '172.24.4.0/24' })
  await networks.ensurePublic('admin-project' as ProjectId)
  const folder = await mkdtemp(join(tmpdir(), 'gantry-world-'))
  const volumes = embeddedVolumes({
    store,
    clock,
    ids: randomIds,
    hosts: volumeHosts(store, links),
    cluster: aloneCluster(soleServer, silent),
    copies: volumeCopies(links),
    backupFiles: backupFiles(join(folder, 'backups')),
  })
  return {
    networks,
    volumes,
    secrets: sealedWith(randomBytes(32)),
    blobs: await embeddedBlobs({ folder: join(folder, 'images'), clock, log: silent }),
    upstream: nobody,
    webhookSender: webhookSender({ mayConnect: () => true }),
    namespaces: projectIds,
    registryDomains: [ownRegistry],
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}

/** Every project is called by its id. */
const projectIds: Namespaces = {
  projectOf: async (namespace) => namespace as ProjectId,
  namespaceOf: async (projectId) => projectId,
  userNameOf: async (userId) => userId,
}

const unreachable = async () => {
  throw new Fault('registry.unreachable', { reason: 'There is no other registry in tests.' })
}
const nobody: Upstream = {
  manifest: unreachable,
  blob: unreachable,
  hasBlob: unreachable,
  putBlob: unreachable,
  putManifest: unreachable,
  logIn: unreachable,
  search: unreachable,
}

export function aCaller(project = 'p1', roles: readonly string[] = ['member']): Caller {
  return {
    userId: `${project}-user` as UserId,
    userName: 'u',
    projectId: project as ProjectId,
    projectName: project,
    roles,
    isAdmin: roles.includes('admin'),
    requestId: `req-${randomIds.uuid()}` as RequestId,
  }
}
