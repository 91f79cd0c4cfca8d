import type { HostId } from '@gantry/model'
import type { Servers } from '../control.ts'
import type { Deps } from '../deps.ts'
import type { ServerId } from '../ports/cluster.ts'
import { requireAdminFor } from './find-container.ts'

export function serverUseCases({ cluster, store }: Deps): Servers {
  return {
    async list(caller) {
      requireAdminFor(caller, true, 'Listing servers')
      const hosts = new Map<ServerId | null, HostId[]>()
      for (const { serverId, hostId } of await store.sessions.list()) {
        hosts.set(serverId, [...(hosts.get(serverId) ?? []), hostId])
      }
      const members = await cluster.members()
      return members.map((member) => ({
        ...member,
        hosts: hosts.get(member.id) ?? [],
        isThis: member.id === cluster.self,
      }))
    },
  }
}
