import type { Log, Upstream, UpstreamLogin } from '@gantry/control'
import ipaddr from 'ipaddr.js'
import { hostOf, type RegistryAddresses } from './registry-addresses.ts'
import { guardedAgent } from './guarded-agent.ts'
import { searchIndex } from './hub-search.ts'
import { hasBlob, readBlob, readManifest } from './reading.ts'
import { registryClient, type RegistryClient } from './registry-client.ts'
import { registryOrigins } from './registry-origin.ts'
import { authorizations } from './token-service.ts'
import { writeBlob, writeManifest } from './writing.ts'

export interface UpstreamOptions {
  /** Asked for every address before it is connected to, with the `host` or `host:port` that led there. */
  readonly mayConnect: (address: string, domain: string) => boolean
  /** Registries beside those on the loopback interface that may do without TLS, or with a certificate nobody vouches for. */
  readonly insecure?: RegistryAddresses
  readonly log: Log
  readonly userAgent?: string
}

export interface RunningUpstream extends Upstream {
  /** Lets go of all connections; what is under way fails. */
  close(): Promise<void>
}

/** Speaks OCI distribution to other registries: their logins, redirects and moods. */
export function createUpstream({ mayConnect, insecure, log, userAgent = 'gantry' }: UpstreamOptions): RunningUpstream {
  const isInsecure = (domain: string) => isLoopback(hostOf(domain)) || (insecure?.covers(domain, null) ?? false)
  const agent = guardedAgent({
    isInsecure,
    mayConnect(address, domain) {
      const allowed = mayConnect(address, domain)
      if (!allowed) log.warn({ registry: domain, address }, 'a registry leads to an address that is not allowed')
      return allowed
    },
  })
  const client = registryClient({
    agent,
    origins: registryOrigins(agent.writing, isInsecure),
    authorizations: authorizations(agent.reading, userAgent),
    userAgent,
  })
  return {
    manifest: (repository, reference, login, signal) => readManifest(client, repository, reference, login, signal),
    blob: (repository, digest, login, signal) => readBlob(client, repository, digest, login, signal),
    hasBlob: (repository, digest, login, signal) => hasBlob(client, repository, digest, login, signal),
    putBlob: (repository, blob, login, signal) => writeBlob(client, repository, blob, login, signal),
    putManifest: (repository, reference, manifest, login, signal) =>
      writeManifest(client, repository, reference, manifest, login, signal),
    logIn: (domain, login, signal) => logIn(client, domain, login, signal),
    search: (domain, term, limit, signal) => searchIndex(client, domain, term, limit, signal),
    close: () => agent.close(),
  }
}

async function logIn(client: RegistryClient, domain: string, login: UpstreamLogin, signal: AbortSignal) {
  const asked = { domain, login, scope: null, isFresh: true, path: '/v2/' }
  const answered = await client.ask(asked, signal)
  if (answered.answer.statusCode !== 200) throw await client.refusal(asked, answered)
  await answered.answer.body.dump()
  return 'Login Succeeded'
}

function isLoopback(host: string): boolean {
  if (/(^|\.)localhost\.?$/i.test(host)) return true
  return ipaddr.isValid(host) && ipaddr.process(host).range() === 'loopback'
}
