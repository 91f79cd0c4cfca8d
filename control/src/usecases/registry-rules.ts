import { isIPv4, isIPv6 } from 'node:net'
import { Fault } from '@gantry/kernel'
import type { NewRegistry } from '../control.ts'

/** Some registries take a whole key file as the password. */
const longestPassword = 16_384

/** Throws `request.invalid` with what is wrong and what would be right. */
export function checkRegistry({ name, domain, username, password }: NewRegistry): void {
  checkDomain(domain)
  if (name !== null) checkText('name', name, 255)
  if (username !== null) {
    checkText('username', username, 255)
    if (username.includes(':')) throw invalid('A username cannot hold a colon.')
  }
  if (password === null) return
  if (username === null) throw invalid('A password needs a username.')
  checkText('password', password, longestPassword)
}

/**
 * `host` or `host:port`, and nothing that an engine would take for something else: without a dot or a port it reads the
 * domain as a part of an image's name on its default registry, and the password would never be asked for.
 */
function checkDomain(domain: string): void {
  const [, host = '', port] = /^(\[[0-9a-fA-F:.]+\]|[^:[\]/]+)(?::(\d{1,5}))?$/.exec(domain) ?? []
  const named = port !== undefined || host.includes('.') || host.startsWith('[') || host === 'localhost'
  if (domain.length <= 255 && isHost(host) && named && (port === undefined || isPort(port))) return
  throw invalid(
    `The domain ${JSON.stringify(domain.slice(0, 80))} is not valid: write HOST or HOST:PORT, such as registry.example.com:5000, without a scheme or path; a host without a dot needs its port.`,
  )
}

function isHost(host: string): boolean {
  if (host.startsWith('[')) return isIPv6(host.slice(1, -1))
  if (/^[0-9.]+$/.test(host)) return isIPv4(host)
  return host.split('.').every((label) => /^[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$/.test(label))
}

function isPort(text: string): boolean {
  return Number(text) >= 1 && Number(text) <= 65_535
}

function checkText(what: string, text: string, longest: number): void {
  if (text.length >= 1 && text.length <= longest && !/\p{Cc}/u.test(text)) return
  throw invalid(`A registry's ${what} must be 1 to ${longest} characters without control characters.`)
}

function invalid(problem: string): Fault {
  return new Fault('request.invalid', { problem })
}
