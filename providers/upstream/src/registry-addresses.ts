import { Fault } from '@gantry/kernel'
import ipaddr from 'ipaddr.js'

/** Which registries an operator names: by domain, with or without a port, and by network. */
export interface RegistryAddresses {
  /** `domain`: `host`, or `host:port`. `address`: what it leads to; null: not known yet. */
  covers(domain: string, address: string | null): boolean
}

const domainName = /^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::\d{1,5})?$/

/** `items`: `registry.lan`, `registry.lan:5000`, `10.1.2.3`, `10.0.0.0/8`. Throws `request.invalid` for anything else. */
export function registryAddresses(items: readonly string[]): RegistryAddresses {
  const networks = items.flatMap((item) => (item.includes('/') ? [networkOf(item)] : []))
  const domains = new Set(items.filter((item) => !item.includes('/')).map(domainOf))
  return {
    covers(domain, address) {
      const name = domain.toLowerCase()
      if (domains.has(name) || domains.has(hostOf(name))) return true
      const literal = address ?? hostOf(name)
      if (!ipaddr.isValid(literal)) return false
      const known = ipaddr.process(literal)
      return networks.some(([network, bits]) => network.kind() === known.kind() && known.match(network, bits))
    },
  }
}

/** Without its port and brackets. */
export function hostOf(domain: string): string {
  return domain.replace(/:\d+$/, '').replace(/^\[|\]$/g, '')
}

function networkOf(item: string): [ipaddr.IPv4 | ipaddr.IPv6, number] {
  if (!ipaddr.isValidCIDR(item)) throw invalid(item)
  return ipaddr.parseCIDR(item)
}

function domainOf(item: string): string {
  const name = item.toLowerCase()
  // An address of IPv6 is a domain in brackets; people leave them out when no port follows.
  if (ipaddr.IPv6.isValid(name)) return name
  if (domainName.test(name)) return /^\[.*\]$/.test(name) ? hostOf(name) : name
  throw invalid(item)
}

function invalid(item: string): Fault {
  const problem = `${JSON.stringify(item)} is neither a registry (HOST or HOST:PORT) nor a network (10.0.0.0/8).`
  return new Fault('request.invalid', { problem })
}
