import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'

/** Where named namespaces are, for `ip netns` and for us. */
const namespaceFolder = '/run/netns'

/** Stands for one agent in the names of what it makes: 8 hex digits. */
export function hostTag(deployment: string): string {
  return createHash('sha256').update(deployment).digest('hex').slice(0, 8)
}

/** Stands in the alias of what it plugs for Neutron, among the interfaces of others. */
export function bindingMark(tag: string): string {
  return `gantry-${tag}`
}

/** Names of namespaces: one for each network, each router, and with Podman each container. */
export function namespaceName(tag: string, id: string): string {
  return `gantry-${tag}-${id}`
}

export function namespacePath(tag: string, id: string): string {
  return join(namespaceFolder, namespaceName(tag, id))
}

/** Ids of what this agent has a namespace for. */
export async function namespaceIds(tag: string): Promise<string[]> {
  const prefix = namespaceName(tag, '')
  const names = await readdir(namespaceFolder).catch(() => [])
  return names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length))
}

/** Interface names have 15 characters: two say what it is, eleven are of the port's (or network's) id. */
export const linkNames = {
  /** A container's port, on the network's bridge. */
  port: (id: string) => `gp${hex(id)}`,
  /** Its other end, until the engine takes it into the container. */
  container: (id: string) => `gc${hex(id)}`,
  /** The host end of a port of Neutron's while its agent has not yet let go of an earlier one. */
  early: (id: string) => `gh${hex(id)}`,
  /** A router's interface, in the router. */
  router: (id: string) => `ri${hex(id)}`,
  /** Its other end, on the network's bridge. */
  routerPort: (id: string) => `gr${hex(id)}`,
  /** A router's way out, in the router. */
  gateway: (id: string) => `rg${hex(id)}`,
  /** Its other end, on the external bridge. */
  gatewayPort: (id: string) => `gx${hex(id)}`,
  /** The bridge of an external network, in the engine's namespace. */
  external: (id: string) => `gb${hex(id)}`,
} as const

/** The bridge of each network, in its namespace. */
export const bridgeName = 'br0'

/** Of the version 4 uuids that ports have, 44 random bits. */
function hex(id: string): string {
  const digits = id.replaceAll('-', '')
  if (!/^[0-9a-f]{11,}$/.test(digits)) throw new Error(`"${id}" is not an id of a network object.`)
  return digits.slice(0, 11)
}
