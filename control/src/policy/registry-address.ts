import ipaddr from 'ipaddr.js'
import type { Danger } from './field-rule.ts'

/** Where names lead that only the cloud's own network knows. */
const inward = /(^|\.)(localhost|localdomain|local|internal|intranet|lan|corp|home|home\.arpa)$/

/**
 * Why the server must not connect to `domain` (`host`, `host:port`, `[v6]:port`) for a tenant: empty for a public one, and for
 * a first part of an image's name that is no domain at all. What a public name resolves to is judged when it is connected to.
 */
export function registryDangers(domain: string): readonly Danger[] {
  if (domain === '' || (/^[a-z0-9_-]+$/.test(domain) && domain !== 'localhost')) return []
  const host = hostOf(domain)
  const lifts = ['Registry', `Registry:${domain.toLowerCase()}`, ...(host === null ? [] : [`Registry:${host}`])]
  const reason = "the server would connect to a network that is not the tenant's"
  return host !== null && isPublic(host) ? [] : [{ field: `Registry ${domain.slice(0, 80)}`, reason, lifts }]
}

/** As a browser reads it: `0x7f.1` is 127.0.0.1. null: no address at all. */
function hostOf(domain: string): string | null {
  if (!/^[^/?#@\\\s]+$/.test(domain) || !URL.canParse(`http://${domain}/`)) return null
  return new URL(`http://${domain}/`).hostname.replace(/\.+$/, '')
}

function isPublic(host: string): boolean {
  const text = host.replace(/^\[|\]$/g, '')
  if (ipaddr.isValid(text)) return isPublicAddress(text)
  return text.includes('.') && !inward.test(text)
}

/** Whether an address is one of the internet's: no loopback, private, shared, link-local or special one. */
export function isPublicAddress(text: string): boolean {
  if (!ipaddr.isValid(text)) return false
  const address = ipaddr.process(text)
  // Only 2000::/3 is given out; old forms outside of it hold addresses of IPv4.
  const isGivenOut = address.kind() === 'ipv4' || /^[23]...:/.test(address.toNormalizedString())
  return isGivenOut && address.range() === 'unicast'
}
