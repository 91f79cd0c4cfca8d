import { Fault } from '@gantry/kernel'
import type { Host, HostId } from '@gantry/model'
import type { Hosts } from '../control.ts'
import type { Deps } from '../deps.ts'
import type { Tables } from '../ports/store.ts'
import { limitsOf } from '../scheduling/limits.ts'
import { explainPlacement } from './explain-placement.ts'
import { requireAdminFor } from './find-container.ts'

export function hostUseCases(deps: Deps): Omit<Hosts, 'drain'> {
  const change = async (ref: string, change: Parameters<Deps['store']['hosts']['change']>[1]): Promise<Host> => {
    const host = await findHost(deps, ref)
    await deps.store.hosts.change(host.id, change)
    deps.ring({ kind: 'hosts' })
    return withLimits(deps, await findHost(deps, host.id))
  }
  return {
    async list(caller) {
      requireAdminFor(caller, true, 'Listing hosts')
      return hostsWithLimits(deps)
    },
    async get(caller, ref) {
      requireAdminFor(caller, true, 'Looking at a host')
      return withLimits(deps, await findHost(deps, ref))
    },
    async enable(caller, ref) {
      requireAdminFor(caller, true, 'Enabling a host')
      return change(ref, { disabled: false, disabledReason: null })
    },
    async disable(caller, ref, reason) {
      requireAdminFor(caller, true, 'Disabling a host')
      return change(ref, { disabled: true, disabledReason: reason })
    },
    async forceDown(caller, ref, down) {
      requireAdminFor(caller, true, 'Forcing a host down')
      return change(ref, { forcedDown: down })
    },
    async remove(caller, ref) {
      requireAdminFor(caller, true, 'Removing a host')
      await deps.store.transaction(async (tables) => {
        const host = withLink(
          deps,
          await pick(
            ref,
            () => tables.hosts.get(ref as HostId),
            () => tables.hosts.list(),
          ),
        )
        // Sandboxes too: nobody else would ever forget one whose host is no more.
        const holds = (await tables.containers.ofHost(host.id)).length
        if (host.connected || holds > 0) {
          const why = host.connected
            ? 'its agent is connected; stop it first'
            : `it holds ${holds} containers; delete them first`
          throw new Fault('request.invalid', { problem: `Host ${host.name} cannot be removed: ${why}.` })
        }
        await forgetHost(tables, host.id)
      })
    },
    explain: (caller, container) => explainPlacement(deps, caller, container),
    async instances(caller) {
      requireAdminFor(caller, true, 'Listing hosts on demand')
      const used = new Map((await deps.store.hosts.list()).map((host) => [host.id as string, host.used.containers]))
      return (await deps.store.instances.list()).map((each) => ({ ...each, containers: used.get(each.id) ?? 0 }))
    },
    async availabilityZones() {
      const hosts = await deps.store.hosts.list()
      return [...new Set(hosts.map((host) => host.availabilityZone))].sort()
    },
  }
}

/** The row of a host that holds nothing. */
export async function forgetHost(tables: Tables, hostId: HostId): Promise<void> {
  await forgetDeleted(tables, hostId)
  await tables.hosts.remove(hostId)
}

/** What only waited for the host to take its data away; nobody else would ever say that it is gone. */
async function forgetDeleted({ volumes, snapshots }: Tables, hostId: HostId): Promise<void> {
  for (const { id, status } of await volumes.ofHost(hostId)) if (status === 'deleting') await volumes.remove(id)
  for (const { id, status } of await snapshots.ofHost(hostId)) if (status === 'deleting') await snapshots.remove(id)
}

export async function listHosts(deps: Deps): Promise<Host[]> {
  return (await deps.store.hosts.list()).map((host) => withLink(deps, host))
}

export async function findHost(deps: Deps, ref: string): Promise<Host> {
  const { hosts } = deps.store
  return withLink(
    deps,
    await pick(
      ref,
      () => hosts.get(ref as HostId),
      () => hosts.list(),
    ),
  )
}

async function pick(ref: string, byId: () => Promise<Host | undefined>, all: () => Promise<Host[]>): Promise<Host> {
  const host = (await byId()) ?? (await all()).find((candidate) => candidate.name === ref)
  if (!host) throw new Fault('host.not-found', { ref })
  return host
}

/** All of them, as administrators see them. */
export async function hostsWithLimits(deps: Deps): Promise<Host[]> {
  return (await listHosts(deps)).map((host) => withLimits(deps, host))
}

/** With how much may be promised there. */
function withLimits({ policy }: Deps, host: Host): Host {
  return { ...host, limits: limitsOf(host, policy) }
}

export function withLink(deps: Pick<Deps, 'links'>, host: Host): Host {
  return { ...host, connected: deps.links.connected(host.id) }
}

/** Up: connected, or silent for less than the time after which a host is called lost. */
export function isUp(deps: Pick<Deps, 'clock' | 'policy'>, host: Host): boolean {
  if (host.forcedDown) return false
  return host.connected || deps.clock.now() - host.lastSeenAt < deps.policy.hostLostAfterMs
}
