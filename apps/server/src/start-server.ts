import { mkdir } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createOrLoadCa, type IssuedCertificate } from '@gantry/ca'
import { createControl, createRegistryLogins, defaultPolicy, type HostLinks } from '@gantry/control'
import { dockerFacade } from '@gantry/facade-docker'
import { glanceFacade } from '@gantry/facade-glance'
import { keystone } from '@gantry/facade-keystone'
import { nativeFacade } from '@gantry/facade-native'
import { registryFacade } from '@gantry/facade-registry'
import { zunFacade } from '@gantry/facade-zun'
import { createHttpApp, createHttpMetrics, createRegistry, nothingElse, operations } from '@gantry/http'
import { Fault, randomIds, systemClock } from '@gantry/kernel'
import {
  bootstrapIdentity,
  embeddedBlobs,
  embeddedIdentity,
  embeddedNamespaces,
  embeddedNetworks,
  embeddedVolumes,
  type NewCredential,
  renderOpenrc,
} from '@gantry/providers-embedded'
import type { ProjectId } from '@gantry/model'
import { createStore, identityTables, openSqlite, settingOr } from '@gantry/store'
import { createRelay, formatJoinToken, type Relay } from '@gantry/wire'
import type { Logger } from 'pino'
import { type Address, hostPart, isLoopback } from './addresses.ts'
import { dockerAccess, listenForDocker } from './docker-listeners.ts'
import { dockerPolicy } from './docker-policy.ts'
import { createGauges } from './gauges.ts'
import { joinTokens } from './join-tokens.ts'
import { writeSecretFile } from './openrc.ts'
import type { ServerOptions } from './options.ts'
import { otherRegistries } from './other-registries.ts'
import { certifiedNames, hostRegistryService, registryDomainsOf } from './registry-service.ts'
import { secretsFile } from './secrets.ts'
import { volumeHosts } from './volume-hosts.ts'

export interface RunningServer {
  /** `http://host:port`. */
  readonly api: string
  /** `host:port` for agents. */
  readonly agents: string
  /** `http://host:port` of the Docker API (`https` off the loopback interface), and of the same over TLS. */
  readonly docker: string
  readonly dockerTls: string
  /** A fresh one-time token for an agent. */
  readonly joinToken: string
  /** The cloud was made just now: its first users and their openrc files are new. */
  readonly firstStart: boolean
  close(): Promise<void>
}

/** Puts a server together and returns when it serves. Whatever was opened is closed again if it cannot. */
export async function startServer(options: ServerOptions, log: Logger): Promise<RunningServer> {
  const opened: (() => Promise<unknown>)[] = []
  const close = async () => {
    for (const step of opened.splice(0).reverse()) await step()
  }
  try {
    const parts = await build(options, log, opened)
    return { ...parts, close }
  } catch (error) {
    await close()
    throw error
  }
}

async function build(options: ServerOptions, log: Logger, opened: (() => Promise<unknown>)[]) {
  const clock = systemClock
  const ids = randomIds
  await mkdir(options.home, { recursive: true, mode: 0o700 })
  const db = await openSqlite(join(options.home, 'gantry.db'))
  opened.push(() => db.destroy())
  const store = createStore(db)
  const deployment = await settingOr(db, 'deployment', () => ids.uuid())
  const identityStore = identityTables(db)
  const identity = embeddedIdentity({ store: identityStore, clock, ids })
  const ca = await createOrLoadCa(join(options.home, 'ca'))
  const registry = createRegistry()

  // Control and the relay need each other: control is given links that look the relay up when they are used.
  const line: { relay: Relay | null } = { relay: null }
  const gauges = createGauges(registry, () => line.relay?.connectedCount() ?? 0)
  const links = lateLinks(line)
  const networks = embeddedNetworks({ store, clock, ids, publicCidr: options.publicCidr })
  const volumes = embeddedVolumes({ store, clock, ids, hosts: volumeHosts(store, links) })
  const secrets = await secretsFile(join(options.home, 'secrets.key'))
  const rules = await dockerPolicy(options.dockerPolicy, log)
  opened.push(async () => rules[Symbol.dispose]())
  const upstream = otherRegistries(options, log)
  opened.push(() => upstream.close())
  const blobs = await embeddedBlobs({ folder: join(options.home, 'images'), clock, log })
  const namespaces = embeddedNamespaces(identityStore)
  // The port may be the system's to choose: they are known when it listens.
  const registryDomains: string[] = []
  const { control, reconciler } = createControl({
    upstream,
    blobs,
    namespaces,
    registryDomains,
    grants: rules.grants,
    store,
    links,
    networks,
    volumes,
    secrets,
    clock,
    ids,
    log,
    gauges,
    policy: { ...defaultPolicy, cpuRatio: options.cpuRatio, memoryRatio: options.memoryRatio },
  })
  opened.push(() => Promise.resolve(reconciler[Symbol.asyncDispose]()))

  const tokens = joinTokens(store, clock, ids, (id) => line.relay?.links.connected(id) ?? false)
  const metrics = createHttpMetrics(registry)
  const images = await hostRegistryService(control, metrics, log)
  opened.push(() => images.close())
  const certificate = await ca.issueServer(certifiedNames(options))
  const relay = await createRelay({
    ...certificate,
    listen: options.agentsListen,
    ca: ca.certificate,
    reports: reconciler.reports,
    enrol: async (id, secret, hostname) => ({ hostId: await tokens.redeem(id, secret, hostname), deployment }),
    sign: (csr, hostId) => ca.signAgent(csr, hostId),
    serveRegistry: (socket, hostId) => images.serve(socket, hostId),
    log,
    clock,
  })
  line.relay = relay
  opened.push(() => relay.close())

  const createJoinToken = async () => {
    const { id, secret, expiresAt } = await tokens.issue()
    return { token: formatJoinToken({ fingerprint: ca.fingerprint, id, secret }), expiresAt }
  }
  // Plain HTTP never leaves the machine.
  const secure = !isLoopback(options.listen.host)
  const app = secure ? createHttpApp({ log, tls: tlsOf(certificate) }) : createHttpApp({ log })
  opened.push(() => app.close())
  nothingElse(app)
  await app.register(operations, {
    metrics,
    readiness: { store: () => store.hosts.list(), agents: async () => requireAgent(relay) },
  })
  await app.register(keystone, { prefix: '/identity', identity })
  await app.register(zunFacade, {
    prefix: '/container',
    control,
    verifier: identity,
    allowedOrigins: options.allowedOrigins,
  })
  await app.register(glanceFacade, { prefix: '/image', images: control.images, verifier: identity })
  const logins = createRegistryLogins({ identity, namespaces, registry: control.registry, secrets })
  const access = dockerAccess({ control, store, identity, secrets, logins, registryDomains, ca, clock, ids })
  opened.push(async () => access[Symbol.dispose]())
  await app.register(dockerFacade, { prefix: '/docker', ...access.options })
  await app.register(registryFacade, { registry: control.registry, logins, guard: access.options.guard })
  const dockerPorts = { url: '', tlsUrl: '', ca: ca.certificate }
  await app.register(nativeFacade, {
    control,
    verifier: identity,
    createJoinToken,
    certificates: access.certificates,
    dockerPorts: () => dockerPorts,
    namespaces,
  })

  await networks.sweep()
  await reconciler.recover()
  await app.listen({ host: options.listen.host, port: options.listen.port })
  const { port } = app.server.address() as AddressInfo
  registryDomains.push(...registryDomainsOf(options, port))
  const dockerAt = async (listen: Address, secure: boolean) => {
    const authority = ca.certificate
    const listener = await listenForDocker(access, { listen, secure, certificate, authority, metrics, log })
    opened.push(() => listener.close())
    return listener
  }
  const docker = await dockerAt(options.dockerListen, !isLoopback(options.dockerListen.host))
  const dockerTls = await dockerAt(options.dockerTlsListen, true)
  Object.assign(dockerPorts, { url: docker.origin, tlsUrl: dockerTls.origin })
  const api = `${secure ? 'https' : 'http'}://${hostPart(options.listen.host)}:${port}`
  const keep = async (credential: NewCredential) => {
    const openrc = { authUrl: `${api}/identity/v3`, docker: docker.url, ...credential }
    const text = renderOpenrc(secure ? { ...openrc, caFile: join(options.home, 'ca', 'ca.pem') } : openrc)
    const file = credential.userName === 'admin' ? 'openrc-admin' : 'openrc'
    await writeSecretFile(join(options.home, file), text)
  }
  const made = await bootstrapIdentity(identityStore, { ids, clock, keep })
  const [owner] = await identityStore.projects.list({ domainId: 'default', name: 'admin' })
  if (owner) await networks.ensurePublic(owner.id as ProjectId)
  const { token } = await createJoinToken()
  return {
    api,
    agents: `${hostPart(options.agentsListen.host)}:${relay.port}`,
    docker: docker.url,
    dockerTls: dockerTls.url,
    joinToken: token,
    firstStart: made.length > 0,
  }
}

function lateLinks(line: { readonly relay: Relay | null }): HostLinks {
  return {
    connected: (hostId) => line.relay?.links.connected(hostId) ?? false,
    assign: (hostId, assignment) => line.relay?.links.assign(hostId, assignment),
    tell: (hostId, message) => line.relay?.links.tell(hostId, message),
    calls(hostId) {
      if (!line.relay) throw new Fault('host.unreachable', { host: hostId })
      return line.relay.links.calls(hostId)
    },
  }
}

async function requireAgent(relay: Relay): Promise<void> {
  if (relay.connectedCount() === 0) throw new Error('no agent is connected; start one with gantry agent')
}

function tlsOf({ certificate, key }: IssuedCertificate) {
  return { cert: certificate, key }
}
