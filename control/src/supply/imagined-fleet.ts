import type { Host, HostId, ProjectId } from '@gantry/model'
import type { Policy } from '../deps.ts'
import type { InstanceSize, SupplyPolicy } from '../ports/compute.ts'
import { Fleet } from '../scheduling/fleet.ts'
import { ownArchitecture } from '../usecases/catalogue/platform.ts'

/**
 * Hosts as they will be once they have joined: those that boot, then those that could be ordered. Whatever speaks against a host of
 * this kind (too small, another zone, a label) is found out by the scheduler's own filters before anything is ordered.
 */
export function imaginedFleet(
  ids: readonly HostId[],
  scope: ProjectId | null,
  { size, policy, supply }: { readonly size: InstanceSize; readonly policy: Policy; readonly supply: SupplyPolicy },
): Fleet {
  const made = { projectId: scope, leaving: false }
  const candidates = ids.map((id) => ({ host: imagined(id, size, supply), up: true, made }))
  // One after the other, so that as few as possible are needed.
  return new Fleet(candidates, { ...policy, placement: 'fill' })
}

/** Given to the agent of an instance, and so known of its host before that has joined. */
export function labelsOf({ perInstance }: SupplyPolicy): Readonly<Record<string, string>> {
  return { 'gantry.containers': String(perInstance) }
}

function imagined(id: HostId, size: InstanceSize, supply: SupplyPolicy): Host {
  const facts: Host['facts'] = {
    hostname: id,
    engine: { name: '', version: '', apiVersion: '', rootDir: '' },
    ...size,
    architecture: ownArchitecture(),
    osType: 'linux',
    os: '',
    kernelVersion: '',
    runtimes: ['runc'],
    labels: labelsOf(supply),
    agentVersion: '',
  }
  return {
    id,
    name: id,
    availabilityZone: 'nova',
    facts,
    disabled: false,
    disabledReason: null,
    forcedDown: false,
    createdAt: 0,
    updatedAt: 0,
    lastSeenAt: 0,
    connected: true,
    reportCount: 1,
    used: { containers: 0, cpu: 0, memory: 0, disk: 0 },
  }
}
