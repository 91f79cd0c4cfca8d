import type { Assignment, ContainerId, Nic } from '@gantry/model'
import { isIPv4 } from 'node:net'
import { keyLocks } from '../volumes/key-locks.ts'
import { dnsOf, untilPassing } from './docker-wiring.ts'
import type { Fabric } from './fabric.ts'
import { kernelLinks } from './kernel-links.ts'
import { linkNames, namespacePath } from './names.ts'
import { gatewayOf, routesOf } from './nic-routes.ts'
import { ensureNamespace, removeNamespace } from './network-space.ts'
import type { NetTools } from './run-in.ts'
import type { Wiring } from './wiring.ts'

export interface PodmanWiringOptions {
  readonly tag: string
  readonly tools: NetTools
  readonly fabric: Fabric
  readonly engineSpace: string
  /** See `HostNetworkOptions`. */
  readonly portWaitMs: number
}

/**
 * Podman has no drivers of others' for networks, but takes a namespace that was made ready: it stays as it is for as long as
 * there is the container. Containers find each other by address only, since nobody answers for names there.
 */
export function podmanWiring({ tag, tools, fabric, engineSpace, portWaitMs }: PodmanWiringOptions): Wiring {
  const locks = keyLocks()
  /** Ports in each container's namespace, as far as it has been looked at. */
  const plugged = new Map<ContainerId, Set<string>>()

  const pluggedIn = async (id: ContainerId): Promise<Set<string>> => {
    const known = plugged.get(id)
    if (known) return known
    const links = await kernelLinks(tools, namespacePath(tag, id))
    const found = new Set([...links.values()].map(({ alias }) => alias).filter((alias) => alias !== ''))
    plugged.set(id, found)
    return found
  }
  const plug = async (id: ContainerId, nic: Nic, index: number) => {
    const there = await pluggedIn(id)
    if (there.has(nic.portId)) return
    await fabric.plug(nic)
    const space = namespacePath(tag, id)
    const taken = new Set((await kernelLinks(tools, space)).keys())
    const name = interfaceName(index, taken)
    const link = linkNames.container(nic.portId)
    await tools.ip(engineSpace, [`link set ${link} netns ${space} name ${name}`])
    fabric.taken(nic.portId)
    await tools.ip(space, linesOf(nic, name, isFirstOut(fabric.nics.ofContainer(id), nic)))
    there.add(nic.portId)
  }
  const plugAll = (assignment: Assignment) =>
    locks.run([assignment.id], async () => {
      await ensureNamespace(tools, tag, assignment.id)
      const there = await pluggedIn(assignment.id)
      if (there.size === 0) await tools.sh(namespacePath(tag, assignment.id), containerScript)
      for (const [index, nic] of assignment.nics.entries()) await plug(assignment.id, nic, index)
    })

  return {
    prepare: async (assignment) => {
      await plugAll(assignment)
      const dns = [...new Set(assignment.nics.flatMap((nic) => dnsOf(fabric, nic)))]
      const mode = `ns:${namespacePath(tag, assignment.id)}`
      return { mode, endpoints: {}, dns, plugged: assignment.nics.map(({ portId }) => portId) }
    },
    ready: async (assignment, signal) => {
      await plugAll(assignment)
      await untilPassing(fabric, assignment, portWaitMs, signal)
    },
    connect: async (assignment) => plugAll(assignment),
    disconnect: ({ id }, portId) =>
      locks.run([id], async () => {
        const space = namespacePath(tag, id)
        const link = [...(await kernelLinks(tools, space)).values()].find(({ alias }) => alias === portId)
        if (link) await tools.ip(space, [{ may: `link del ${link.name}` }])
        await fabric.unplug({ portId })
        plugged.get(id)?.delete(portId)
      }),
    nicsOf: (id) => [...(plugged.get(id) ?? [])],
    look: async (id) => void (await pluggedIn(id).catch(() => undefined)),
    release: (id) =>
      locks.run([id], async () => {
        const nics = fabric.nics.ofContainer(id)
        fabric.forgetNics(id)
        plugged.delete(id)
        await removeNamespace(tools, tag, id)
        // A port may be another container's by now.
        const free = nics.filter(({ portId }) => fabric.nics.of(portId) === undefined)
        await Promise.all(free.map((nic) => fabric.unplug(nic)))
      }),
    repair: async () => false,
    sweep: async () => undefined,
  }
}

/** eth0 for the primary one; the same as with Docker for the others. */
function interfaceName(index: number, taken: ReadonlySet<string>): string {
  if (index === 0 && !taken.has('eth0')) return 'eth0'
  for (let at = 0; ; at += 1) if (!taken.has(`eth${index}${at}`)) return `eth${index}${at}`
}

/** The default route is by the first interface whose network has a gateway. */
function isFirstOut(all: readonly Nic[], nic: Nic): boolean {
  const first = all.find((each) => gatewayOf(each, 4) !== null || gatewayOf(each, 6) !== null)
  return first === undefined || first.portId === nic.portId
}

function linesOf(nic: Nic, name: string, primary: boolean): string[] {
  const gateways = primary ? [gatewayOf(nic, 4), gatewayOf(nic, 6)].filter((gateway) => gateway !== null) : []
  return [
    ...nic.addresses.map(
      ({ address, prefix }) => `addr add ${address}/${prefix} dev ${name}${isIPv4(address) ? '' : ' nodad'}`,
    ),
    `link set ${name} up`,
    ...gateways.map((gateway) => `route replace default via ${gateway} dev ${name}`),
    ...routesOf(nic).map(
      ({ destination, nextHop }) =>
        `route replace ${destination} ${nextHop === null ? '' : `via ${nextHop} `}dev ${name}`,
    ),
    // Last: who bears it is believed to be complete.
    `link set ${name} alias ${nic.portId}`,
  ]
}

const containerScript = `
[ ! -d /proc/sys/net/ipv6 ] || echo 0 > /proc/sys/net/ipv6/conf/all/disable_ipv6
echo 0 > /proc/sys/net/ipv4/ip_forward
echo 0 1 > /proc/sys/net/ipv4/ping_group_range
echo 0 > /proc/sys/net/ipv4/ip_unprivileged_port_start
ip link set lo up
`
