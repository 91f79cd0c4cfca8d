import type { AddressInfo } from 'node:net'
import { type CertificateAuthority, type IssuedCertificate, userUnit } from '@gantry/ca'
import {
  type ClientCertificates,
  type Control,
  createClientCertificates,
  createIdentify,
  createStreamGuard,
  followToken,
  type IdentifyDeps,
  type ClientCertificateDeps,
  type RegistryLogins,
  type Secrets,
  type Store,
} from '@gantry/control'
import { type DockerOptions, dockerFacade } from '@gantry/facade-docker'
import { createHttpApp, type HttpMetrics, observe, shownCredential } from '@gantry/http'
import type { Clock, Ids } from '@gantry/kernel'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { type Address, hostPart } from './addresses.ts'

export interface DockerParts {
  readonly control: Control
  readonly store: Pick<Store, 'certificates'>
  readonly identity: IdentifyDeps['identity'] & ClientCertificateDeps['identity']
  readonly secrets: Secrets
  /** Logins at our own registry, and the domains under which it is reached. */
  readonly logins: Pick<RegistryLogins, 'logIn'>
  readonly registryDomains: readonly string[]
  readonly ca: CertificateAuthority
  readonly clock: Clock
  readonly ids: Ids
}

/** What the Docker façade needs wherever it is registered, and the certificates that its clients may use. */
export interface DockerAccess extends Disposable {
  readonly options: DockerOptions
  readonly certificates: ClientCertificates
  /** For streams of other façades: calls `end` once when the token is revoked, unless the answer is called before. */
  readonly whenRevoked: (token: string, end: () => void) => Promise<() => void>
}

export function dockerAccess(parts: DockerParts): DockerAccess {
  const { control, store, identity, secrets, logins, registryDomains, ca, clock, ids } = parts
  const identified = createIdentify({ identity, certificates: store.certificates, secrets, clock })
  const guard = createStreamGuard({ identity })
  const identify: DockerOptions['identify'] = async (request, requestId) =>
    identified(shownCredential(request, userUnit), { requestId, address: request.socket.remoteAddress ?? '' })
  const logInHere: DockerOptions['logInHere'] = async ({ domain, ...login }, { socket }, requestId) => {
    if (!registryDomains.includes(domain)) return false
    await logins.logIn(login, [], { requestId, address: socket.remoteAddress ?? '' })
    return true
  }
  return {
    options: { control, identify, logInHere, guard, clock, ids },
    whenRevoked: async (token, end) => guard.watch(await followToken(identity, token), end),
    certificates: createClientCertificates({ identity, table: store.certificates, secrets, signer: ca, clock, ids }),
    [Symbol.dispose]: () => guard[Symbol.dispose](),
  }
}

export interface DockerListenerOptions {
  readonly listen: Address
  /** TLS, and a client certificate may take the place of headers. */
  readonly secure: boolean
  readonly certificate: IssuedCertificate
  /** PEM of the authority whose client certificates count. */
  readonly authority: string
  readonly metrics: HttpMetrics
  /** Hears of the app before it listens. */
  readonly made: (app: FastifyInstance) => void
  readonly log: Logger
}

export interface DockerListener {
  /** `http://host:port` or `https://host:port`, for clients on this machine. */
  readonly url: string
  /** The same with the address it listens on. */
  readonly origin: string
  close(): Promise<void>
}

/** A port of its own for the Docker API: clients of it know a host and a port, and no paths. */
export async function listenForDocker(access: DockerAccess, options: DockerListenerOptions): Promise<DockerListener> {
  const { listen, secure, certificate, authority, metrics, made, log } = options
  const tls = { cert: certificate.certificate, key: certificate.key, clientCa: authority }
  const app = secure ? createHttpApp({ log, tls }) : createHttpApp({ log })
  try {
    made(app)
    observe(app, metrics, 'docker')
    await app.register(dockerFacade, access.options)
    await app.listen({ host: listen.host, port: listen.port })
  } catch (error) {
    await app.close()
    throw error
  }
  const { port } = app.server.address() as AddressInfo
  const scheme = secure ? 'https' : 'http'
  const bound = listen.host.includes(':') ? `[${listen.host}]` : listen.host
  return {
    url: `${scheme}://${hostPart(listen.host)}:${port}`,
    origin: `${scheme}://${bound}:${port}`,
    close: () => app.close(),
  }
}
