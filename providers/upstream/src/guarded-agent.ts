import { type LookupAddress, lookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { Agent, buildConnector, type Dispatcher, interceptors } from 'undici'
import { ForbiddenConnection } from './forbidden-connection.ts'
import { hostOf } from './registry-addresses.ts'
import { retryReads } from './retrying.ts'

export interface ConnectionRules {
  /** Whether to connect to this address, which `domain` (`host`, `host:port`) leads to. */
  readonly mayConnect: (address: string, domain: string) => boolean
  /** Whether plain HTTP, or a certificate that nobody vouches for, is good enough. */
  readonly isInsecure: (domain: string) => boolean
}

export interface GuardedAgent {
  /** For requests that may be repeated: follows redirects, tries again, continues a body that broke off. */
  readonly reading: Dispatcher
  /** Does none of that. */
  readonly writing: Dispatcher
  close(): Promise<void>
}

const connectTimeoutMs = 10_000
/** A registry that says nothing: before its answer, and within it. */
const headTimeoutMs = 20_000
const bodyTimeoutMs = 60_000

/**
 * The rules are asked here, at the moment of connecting and for the address itself, and so for whatever leads here: names that
 * resolve to something else the second time, redirects, token services.
 */
export function guardedAgent({ mayConnect, isInsecure }: ConnectionRules): GuardedAgent {
  const connect = (options: buildConnector.Options, callback: buildConnector.Callback) => {
    const { hostname, port, protocol } = options
    const host = hostname.includes(':') ? `[${hostname}]` : hostname
    const domain = port ? `${host}:${port}` : host
    const insecure = isInsecure(domain)
    if (protocol !== 'https:' && !insecure) {
      return callback(new ForbiddenConnection(`${domain} would be asked without TLS`), null)
    }
    if (isIP(hostname) !== 0 && !mayConnect(hostname, domain)) return callback(forbidden(domain), null)
    const connector = buildConnector({
      timeout: connectTimeoutMs,
      allowH2: false,
      lookup: guardedLookup((address) => mayConnect(address, domain), domain),
      // What engines do with registries that are called insecure.
      ...(insecure ? { rejectUnauthorized: false } : {}),
    })
    connector(options, callback)
  }
  const agent = new Agent({
    connect,
    allowH2: false,
    connections: 16,
    headersTimeout: headTimeoutMs,
    bodyTimeout: bodyTimeoutMs,
  })
  const reading = agent.compose(
    interceptors.redirect({ maxRedirections: 5 }),
    // The last answer is told in its own words.
    interceptors.retry({ retry: retryReads, throwOnError: false }),
  )
  return { reading, writing: agent, close: () => agent.destroy() }
}

/** Resolves as always, and keeps back what must not be connected to. */
function guardedLookup(isAllowed: (address: string) => boolean, domain: string): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found: LookupAddress[]) => {
      if (error) return callback(error, '')
      const allowed = found.filter(({ address }) => isAllowed(address))
      const [first] = allowed
      if (!first) callback(forbidden(domain), '')
      else if (options.all) callback(null, allowed)
      else callback(null, first.address, first.family)
    })
  }
}

function forbidden(domain: string): ForbiddenConnection {
  return new ForbiddenConnection(`the server would connect to a network that is not the tenant's (${hostOf(domain)})`)
}
