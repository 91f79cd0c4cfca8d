import { mkdir } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createOrLoadCa, type IssuedCertificate } from '@gantry/ca'
import { createControl, createRegistryLogins, defaultPolicy, recorded } from '@gantry/control'
import { cookieForToken, dashboardFacade, sessionCookies } from '@gantry/facade-dashboard'
import { dockerFacade } from '@gantry/facade-docker'
import { nativeFacade } from '@gantry/facade-native'
import { registryFacade } from '@gantry/facade-registry'
import { zunFacade } from '@gantry/facade-zun'
import { createHttpApp, createHttpMetrics, createRegistry, nothingElse, operations } from '@gantry/http'
import { productVersion, randomIds, systemClock } from '@gantry/kernel'
import { embeddedVolumes } from '@gantry/providers-embedded'
import { createStore, openPostgres, openSqlite, settingOr } from '@gantry/store'
import { createRelay, formatJoinToken, type Relay } from '@gantry/wire'
import type { Logger } from 'pino'
import { type Address, hostPart, isLoopback } from './addresses.ts'
import { dashboardFolder } from './dashboard-folder.ts'
import { dockerAccess, listenForDocker } from './docker-listeners.ts'
import { dockerPolicy } from './docker-policy.ts'
import { fenceBy } from './fence.ts'
import { keptContents } from './kept-contents.ts'
import { createGauges } from './gauges.ts'
import { joinTokens } from './join-tokens.ts'
import { leaving } from './leaving.ts'
import { hearRevocations, manyServers } from './many-servers.ts'
import { embeddedCloud } from './embedded-cloud.ts'
import { openstackCloud } from './openstack-cloud.ts'
import { hostsOnDemand } from './hosts-on-demand.ts'
import type { ServerOptions } from './options.ts'
import { otherRegistries, webhookReceivers } from './other-registries.ts'
import { certifiedNames, hostRegistryService, registryDomainsOf } from './registry-service.ts'
import { secretsFile } from './secrets.ts'
import { sharedAuthority } from './shared-secrets.ts'
import { frontDoor, outwardPolicy, tellOutside } from './outward.ts'
import { toldServers } from './told-servers.ts'
import { volumeCopies } from './volume-copies.ts'
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
  /** Lets clients and agents go in good order, as the options say; then it is to be closed. */
  leave(): Promise<void>
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
  const leave = leaving(options.drain, log)
  await mkdir(options.home, { recursive: true, mode: 0o700 })
  const { database } = options
  const db = database === null ? await openSqlite(join(options.home, 'gantry.db')) : await openPostgres(database)
  opened.push(() => db.destroy())
  const store = recorded(createStore(db), clock)
  const deployment = await settingOr(db, 'deployment', () => ids.uuid())
  const secrets = await secretsFile(join(options.home, 'secrets.key'))
  const keep = (key: string, create: () => string) => settingOr(db, key, create)
  const ca =
    database === null
      ? await createOrLoadCa(join(options.home, 'ca'))
      : await sharedAuthority(keep, secrets, options.home)
  const servers = await manyServers({ options, store, ca, clock, ids, log })
  opened.push(() => servers.close())
  const { cluster, sessions, links } = servers
  const parts = { home: options.home, store, clock, ids, log, secrets, deployment }
  const cloudParts = { ...parts, ...(database !== null && { servers: cluster }) }
  const cloud =
    (await openstackCloud(cloudParts, options.openstack)) ??
    embeddedCloud(parts, { db, publicCidr: options.publicCidr })
  opened.push(() => cloud.close())
  const { identity, identityUrl, namespaces, networks } = cloud
  const registry = createRegistry()

  // Control and the relay need each other: control is given links that know the relay once it has joined.
  const line: { relay: Relay | null } = { relay: null }
  const gauges = createGauges(registry, () => line.relay?.connectedCount() ?? 0)
  hearRevocations(cluster, identity)
  const contents = await keptContents(options, { db, clock, log })
  const onHosts = embeddedVolumes({
    store,
    clock,
    ids,
    hosts: volumeHosts(store, links),
    cluster,
    copies: volumeCopies(links),
    backupFiles: contents.backups,
  })
  const rules = await dockerPolicy(options.dockerPolicy, log)
  opened.push(async () => rules[Symbol.dispose]())
  const upstream = otherRegistries(options, log)
  opened.push(() => upstream.close())
  const receivers = webhookReceivers(options)
  opened.push(() => receivers.close())
  // The port may be the system's to choose: they are known when it listens.
  const registryDomains: string[] = []
  const { fenceCommand = null, ...placement } = options.placement ?? {}
  const demand = await hostsOnDemand({
    options,
    deployment,
    clock,
    ids,
    log,
    caFingerprint: ca.fingerprint,
    tokens: () => tokens,
    agentsPort: () => line.relay?.port ?? options.agentsListen.port,
  })
  if (demand) opened.push(async () => demand[Symbol.asyncDispose]())
  const { control, reconciler } = createControl({
    ...(demand && { demand }),
    cluster,
    sessions,
    upstream,
    webhookSender: receivers,
    blobs: contents.blobs,
    namespaces,
    registryDomains,
    grants: rules.grants,
    store,
    links,
    networks,
    ...(cloud.imageExchange && { imageExchange: cloud.imageExchange }),
    volumes: cloud.volumes ?? onHosts,
    secrets,
    clock,
    ids,
    log,
    gauges,
    policy: {
      ...defaultPolicy,
      ...placement,
      ...outwardPolicy(options.outward),
      cpuRatio: options.cpuRatio,
      memoryRatio: options.memoryRatio,
    },
    ...(fenceCommand !== null && { fence: fenceBy(fenceCommand, log) }),
  })
  opened.push(() => Promise.resolve(reconciler[Symbol.asyncDispose]()))
  tellOutside(options.outward, { cluster, store, clock, log, gauges, deployment })

  const tokens = joinTokens(store, clock, ids, (hostId) => links.connected(hostId))
  const metrics = createHttpMetrics(registry)
  const images = await hostRegistryService(control, metrics, log)
  opened.push(() => images.close())
  const certificate = await ca.issueServer(certifiedNames(options))
  const told = toldServers(cluster, log, () => line.relay?.serversChanged())
  opened.push(async () => told[Symbol.dispose]())
  const relay = await createRelay({
    ...certificate,
    listen: options.agentsListen,
    ca: ca.certificate,
    reports: reconciler.reports,
    enrol: async (id, secret, hostname) => ({ hostId: await tokens.redeem(id, secret, hostname), deployment }),
    sign: (csr, hostId) => ca.signAgent(csr, hostId),
    servers: told.addresses,
    serveRegistry: (socket, hostId) => images.serve(socket, hostId),
    hangsElsewhere: (hostId) => sessions.elsewhere(hostId) !== null,
    log,
    clock,
  })
  line.relay = relay
  opened.push(() => relay.close())
  await servers.join(relay, options.placement?.evacuate !== undefined && options.placement.evacuate !== 'never')
  // Before the hosts are let go: what is broken off for this reason is told so.
  opened.push(() => onHosts.close())

  const createJoinToken = async () => {
    const { id, secret, expiresAt } = await tokens.issue()
    return { token: formatJoinToken({ fingerprint: ca.fingerprint, id, secret }), expiresAt }
  }
  // Plain HTTP never leaves the machine.
  const secure = !isLoopback(options.listen.host)
  const app = secure ? createHttpApp({ log, tls: tlsOf(certificate) }) : createHttpApp({ log })
  const door = frontDoor(options.outward, { registry, store, log, clock, name: cluster.self })
  opened.push(async () => door[Symbol.asyncDispose]())
  const cookies = sessionCookies(secrets, clock, secure)
  cookieForToken(app, cookies)
  door.at(app)
  opened.push(() => app.close())
  leave.add(app)
  nothingElse(app)
  await app.register(operations, {
    metrics,
    readiness: {
      store: () => store.hosts.list(),
      agents: async () => database ?? requireAgent(relay),
      serving: () => leave.ready(),
    },
  })
  await cloud.mount(app, control)
  await app.register(zunFacade, {
    prefix: '/container',
    control,
    verifier: identity,
    allowedOrigins: options.allowedOrigins,
    ...(identityUrl !== null && { identityUrl }),
  })
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
    whenRevoked: access.whenRevoked,
  })
  await app.register(dashboardFacade, {
    identity,
    cookies,
    ids,
    folder: await dashboardFolder(),
    ownIdentity: identityUrl === null,
    version: productVersion,
  })

  await cloud.begin()
  if (!cloud.volumes) {
    await onHosts.begin()
    cluster.onLost(() => onHosts.begin())
  }
  await reconciler.recover()
  await app.listen({ host: options.listen.host, port: options.listen.port })
  const { port } = app.server.address() as AddressInfo
  registryDomains.push(...registryDomainsOf(options, port))
  const dockerAt = async (listen: Address, secure: boolean) => {
    const authority = ca.certificate
    const made = (docker: Parameters<typeof leave.add>[0]) => {
      leave.add(docker)
      door.at(docker, 'docker')
    }
    const listener = await listenForDocker(access, { listen, secure, certificate, authority, metrics, made, log })
    opened.push(() => listener.close())
    return listener
  }
  const docker = await dockerAt(options.dockerListen, !isLoopback(options.dockerListen.host))
  const dockerTls = await dockerAt(options.dockerTlsListen, true)
  Object.assign(dockerPorts, { url: docker.origin, tlsUrl: dockerTls.origin })
  const api = `${secure ? 'https' : 'http'}://${hostPart(options.listen.host)}:${port}`
  const firstStart = await cloud.welcome({ api, docker: docker.url, secure })
  const { token } = await createJoinToken()
  return {
    api,
    agents: `${hostPart(options.agentsListen.host)}:${relay.port}`,
    docker: docker.url,
    dockerTls: dockerTls.url,
    joinToken: token,
    firstStart,
    leave: () => leave.leave(relay, told.addresses().length > 1),
  }
}

/** Of the only server. Of several, the last that is left must stay ready while the agents of the others are on their way to it. */
function requireAgent(relay: Relay): void {
  if (relay.connectedCount() === 0) throw new Error('no agent is connected; start one with gantry agent')
}

function tlsOf({ certificate, key }: IssuedCertificate) {
  return { cert: certificate, key }
}
