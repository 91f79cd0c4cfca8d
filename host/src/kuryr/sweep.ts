import { setTimeout as sleep } from 'node:timers/promises'
import { reasonOf } from '@gantry/kernel'
import { allOf, type Port } from '@gantry/openstack'
import type { Binder } from '../network/binding/binder.ts'
import { portsOfHost } from './attachment.ts'
import type { Engines, EngineView } from './engine-view.ts'
import { portOfGroup, tags } from './names.ts'
import type { Networks } from './networks.ts'
import type { PortCare } from './port-care.ts'
import { removePool } from './pools.ts'
import type { Releases } from './releases.ts'
import type { Site } from './site.ts'

export interface Sweeper {
  /** Something may have been left behind. */
  poke(): void
  close(): Promise<void>
}

export interface SweeperParts {
  readonly site: Site
  readonly engines: Engines
  readonly binder: Binder
  readonly care: PortCare
  readonly networks: Networks
  readonly releases: Releases
  /** Whether a container has the other end of the port's link. */
  readonly isPlugged: (portId: string) => Promise<boolean>
  /** What no engine knows of for so long is removed, milliseconds: Docker tells of what it makes only when it is made. */
  readonly graceMs: number
}

/** Between two looks while nothing was found, milliseconds. */
const restMs = 600_000

interface Orphan {
  /** `port 4f…` */
  readonly key: string
  readonly remove: () => Promise<unknown>
}

/**
 * Removes what this host's plugin made and no engine of the host knows: Docker forgets a network even if its removal failed, and
 * anything may be killed between two steps.
 */
export function sweeper(parts: SweeperParts): Sweeper {
  const { site, graceMs } = parts
  const closing = new AbortController()
  const since = new Map<string, number>()
  let wake = Promise.withResolvers<void>()

  const sweep = async (): Promise<void> => {
    const view = await parts.engines.look(AbortSignal.any([closing.signal, AbortSignal.timeout(30_000)]))
    const orphans = await orphansOf(parts, view)
    const keys = new Set(orphans.map(({ key }) => key))
    for (const key of since.keys()) if (!keys.has(key)) since.delete(key)
    for (const { key, remove } of orphans) {
      const first = since.get(key) ?? site.clock.now()
      since.set(key, first)
      if (site.clock.now() - first < graceMs || closing.signal.aborted) continue
      try {
        await remove()
        site.log.info({ what: key }, 'removed what no engine knows')
      } catch (error) {
        site.log.warn({ what: key, reason: reasonOf(error) }, 'not removed yet')
      }
    }
  }

  const run = async () => {
    while (!closing.signal.aborted) {
      wake = Promise.withResolvers()
      await sweep().catch((error: unknown) => {
        if (!closing.signal.aborted) site.log.warn({ reason: reasonOf(error) }, 'no sweep')
      })
      const rest = new AbortController()
      const pause = sleep(since.size > 0 ? graceMs : restMs, undefined, {
        signal: AbortSignal.any([closing.signal, rest.signal]),
        ref: false,
      }).catch(() => undefined)
      await Promise.race([pause, wake.promise])
      rest.abort()
    }
  }
  const running = run()

  return {
    poke: () => wake.resolve(),
    close: async () => {
      closing.abort(new Error('the plugin is closing'))
      await running
    },
  }
}

async function orphansOf(parts: SweeperParts, view: EngineView): Promise<Orphan[]> {
  const { site } = parts
  const project_id = await site.project()
  const made = await portsOfHost(site)
  const query = { tags: tags.existingPort, project_id }
  const taken = (await allOf(site.binding.ports.list(query, site.context()))).filter(parts.care.isOurs)
  const ports = [...made, ...taken]
  return [
    ...(await portOrphans(parts, view, ports)),
    ...(await linkOrphans(parts, ports)),
    ...(await groupOrphans(parts, ports)),
    // Networks after what stands on them.
    ...(await networkOrphans(parts, view)),
    ...(await poolOrphans(parts)),
    ...(await floatingIpOrphans(parts)),
  ]
}

async function portOrphans(parts: SweeperParts, view: EngineView, ports: readonly Port[]): Promise<Orphan[]> {
  const orphans: Orphan[] = []
  for (const port of ports) {
    const { id, device_id = '', mac_address } = port
    if (view.endpoints.has(device_id) || view.macs.has(mac_address) || parts.releases.isUnderWay(id)) continue
    // Of an engine that nobody told us of, perhaps.
    if (await parts.isPlugged(id)) continue
    orphans.push({ key: `port ${id}`, remove: () => parts.care.release(port) })
  }
  return orphans
}

async function linkOrphans({ binder, isPlugged }: SweeperParts, ports: readonly Port[]): Promise<Orphan[]> {
  const known = new Set(ports.map(({ id }) => id))
  const orphans: Orphan[] = []
  for (const portId of await binder.links()) {
    if (known.has(portId) || (await isPlugged(portId))) continue
    orphans.push({ key: `link ${portId}`, remove: () => binder.unplug({ portId }) })
  }
  return orphans
}

async function groupOrphans({ site }: SweeperParts, ports: readonly Port[]): Promise<Orphan[]> {
  const query = { description: site.marks.group, project_id: await site.project() }
  const groups = await allOf(site.binding.securityGroups.list(query, site.context()))
  const used = new Set(ports.flatMap(({ security_groups = [] }) => security_groups))
  return groups
    .filter(({ id, name }) => portOfGroup(name) !== null && !used.has(id))
    .map(({ id }) => ({
      key: `security group ${id}`,
      remove: () => site.binding.securityGroups.remove(id, site.context()),
    }))
}

async function networkOrphans({ site, networks }: SweeperParts, view: EngineView): Promise<Orphan[]> {
  const all = await allOf(site.neutron.networks.list({ project_id: await site.project() }, site.context()))
  return all.flatMap(({ description }) => {
    const dockerId = site.marks.dockerIdOf(description ?? '')
    if (dockerId === null || view.networks.has(dockerId)) return []
    return [{ key: `network ${dockerId}`, remove: () => networks.remove(dockerId) }]
  })
}

async function poolOrphans({ site }: SweeperParts): Promise<Orphan[]> {
  const query = { description: site.marks.pool, project_id: await site.project() }
  const pools = await allOf(site.neutron.subnetPools.list(query, site.context()))
  if (pools.length === 0) return []
  const subnets = await allOf(site.neutron.subnets.list({ project_id: await site.project() }, site.context()))
  const used = new Set(subnets.flatMap(({ subnetpool_id, tags: present = [] }) => [subnetpool_id, ...present]))
  return pools
    .filter(({ id }) => !used.has(id))
    .map(({ id }) => ({ key: `subnet pool ${id}`, remove: () => removePool(site, id) }))
}

async function floatingIpOrphans({ site }: SweeperParts): Promise<Orphan[]> {
  const all = await allOf(site.neutron.floatingIps.list({ project_id: await site.project() }, site.context()))
  const orphans: Orphan[] = []
  for (const { id, description } of all) {
    if (!site.marks.isFloatingIp(description ?? '')) continue
    const forwardings = await allOf(site.neutron.portForwardings(id).list({}, site.context()))
    if (forwardings.length > 0) continue
    orphans.push({ key: `floating IP ${id}`, remove: () => site.neutron.floatingIps.remove(id, site.context()) })
  }
  return orphans
}
