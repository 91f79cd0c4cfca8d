import type { Log } from '@gantry/control'
import ipaddr from 'ipaddr.js'
import { guardedAgent } from './guarded-agent.ts'
import { hostOf, type RegistryAddresses } from './registry-addresses.ts'
import { type RegistryClient, registryClient } from './registry-client.ts'
import { registryOrigins } from './registry-origin.ts'
import { authorizations } from './token-service.ts'

export interface UpstreamOptions {
  /** Asked for every address before it is connected to, with the `host` or `host:port` that led there. */
  readonly mayConnect: (address: string, domain: string) => boolean
  /** Registries beside those on the loopback interface that may do without TLS, or with a certificate nobody vouches for. */
  readonly insecure?: RegistryAddresses
  readonly log: Log
  readonly userAgent?: string
}

export interface OpenClient {
  readonly client: RegistryClient
  close(): Promise<void>
}

/** Puts the parts of a client together. */
export function openClient({ mayConnect, insecure, log, userAgent = 'gantry' }: UpstreamOptions): OpenClient {
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
  return { client, close: () => agent.close() }
}

function isLoopback(host: string): boolean {
  if (/(^|\.)localhost\.?$/i.test(host)) return true
  return ipaddr.isValid(host) && ipaddr.process(host).range() === 'loopback'
}
