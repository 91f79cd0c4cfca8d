import { PluginRefusal } from '../network/plugin-server.ts'

/** Neutron's `device_owner` of a container's port, as the Linux bridge and OVS agents expect it. */
export const deviceOwner = 'compute:kuryr'
/** A port that was made for an address and has no endpoint yet. */
export const pendingPort = 'kuryr-unbound-port'

/**
 * The tags of kuryr-libnetwork: what an object of Neutron's is to Docker. A tag has at most 60 characters, so a network's id of 64
 * comes in two.
 */
export const tags = {
  network: (dockerId: string) => [`${lower}${dockerId.slice(0, 32)}`, `${upper}${dockerId.slice(32)}`],
  /** The network was there before; it stays. */
  existingNetwork: (dockerId: string) => `kuryr.net.existing:${dockerId.slice(0, 12)}`,
  existingPool: 'kuryr.subnetpool.existing',
  existingPort: 'kuryr.port.existing',
  /** Of an existing port: the MAC address that it gets back. */
  macBefore: (mac: string) => `${macBefore}${mac}`,
} as const
const lower = 'kuryr.net.uuid.lh:'
const upper = 'kuryr.net.uuid.uh:'
const macBefore = 'kuryr.port.mac:'

/** Whether a Docker network other than `dockerId` stands on a network with these tags. */
export function hasOtherNetwork(present: readonly string[], dockerId: string): boolean {
  const mine = tags.network(dockerId)
  return present.some((tag) => (tag.startsWith(lower) || tag.startsWith(upper)) && !mine.includes(tag))
}

export function macBeforeOf(present: readonly string[]): string | null {
  return present.find((tag) => tag.startsWith(macBefore))?.slice(macBefore.length) ?? null
}

export const nameOf = {
  network: (dockerId: string) => `kuryr-net-${dockerId.slice(0, 8)}`,
  subnet: (cidr: string) => `kuryr-subnet-${cidr}`,
  endpoint: (endpointId: string) => `${endpointId.slice(0, 12)}-port`,
  group: (portId: string) => `${portId}${groupEnd}`,
} as const
const groupEnd = '-exposed_ports'

/** The port whose group of exposed ports it is, by its name. */
export function portOfGroup(name: string): string | null {
  return name.endsWith(groupEnd) ? name.slice(0, -groupEnd.length) : null
}

/**
 * Descriptions mark what this plugin made. Unlike tags they are written by the very call that makes the object, so that a crash
 * leaves nothing behind that cannot be recognised; and they name the host, whose engine alone can say what is still in use.
 */
export function marksOf(host: string) {
  const on = ` on ${host}`
  return {
    network: (dockerId: string) => `Docker network ${dockerId}${on}`,
    /** The Docker network that a description names, if it is one of this host. */
    dockerIdOf: (description: string) => {
      const id = /^Docker network ([0-9a-z]+) on /.exec(description)?.[1]
      return id !== undefined && description === `Docker network ${id}${on}` ? id : null
    },
    pool: `Docker address pool${on}`,
    port: `Docker endpoint${on}`,
    group: `Exposed ports of a Docker endpoint${on}`,
    floatingIp: (networkId: string) => `Published ports of ${networkId}${on}`,
    isFloatingIp: (description: string) => description.startsWith('Published ports of ') && description.endsWith(on),
  } as const
}
export type Marks = ReturnType<typeof marksOf>

/** Whether some plugin of ours made the network, on this host or another. */
export function isMadeForDocker(description: string | null | undefined): boolean {
  return /^Docker network [0-9a-z]+ on /.test(description ?? '')
}

export function isPoolForDocker(description: string | null | undefined): boolean {
  return (description ?? '').startsWith('Docker address pool on ')
}

/** What Docker calls a pool: Neutron's pool, and the block of it that one network has. */
export interface PoolRef {
  readonly poolId: string
  /** null in ids that kuryr-libnetwork gave out. */
  readonly cidr: string | null
}

export function poolIdOf({ poolId, cidr }: PoolRef): string {
  return cidr === null ? poolId : `${poolId}@${cidr}`
}

export function poolRefOf(text: string): PoolRef {
  const match = /^([0-9a-f-]{36})(?:@(.+))?$/.exec(text)
  if (!match) throw new PluginRefusal(400, `"${text}" is no address pool of this plugin.`)
  return { poolId: match[1] ?? '', cidr: match[2] ?? null }
}
