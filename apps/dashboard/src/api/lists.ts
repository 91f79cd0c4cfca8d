import type {
  BackupView,
  FloatingIpView,
  RegistryView,
  RouterView,
  SecurityGroupView,
  SnapshotView,
  SubnetView,
} from '@gantry/facade-native/views'
import { queryOptions } from '@tanstack/react-query'
import { call } from './client.ts'
import { alsoElsewhere, type ContainerPage, listOf } from './nouns.ts'

export const subnetsQuery = { ...listOf<SubnetView>('subnet', 'subnets', 'subnets'), ...alsoElsewhere }
export const routersQuery = { ...listOf<RouterView>('router', 'routers', 'routers'), ...alsoElsewhere }
export const floatingIpsQuery = {
  ...listOf<FloatingIpView>('floating-ip', 'floating-ips', 'floatingIps'),
  ...alsoElsewhere,
}
export const securityGroupsQuery = {
  ...listOf<SecurityGroupView>('security-group', 'security-groups', 'securityGroups'),
  ...alsoElsewhere,
}
export const snapshotsQuery = { ...listOf<SnapshotView>('snapshot', 'snapshots', 'snapshots'), ...alsoElsewhere }
export const backupsQuery = { ...listOf<BackupView>('backup', 'backups', 'backups'), ...alsoElsewhere }
export const registriesQuery = listOf<RegistryView>('registry', 'registries', 'registries')

export const zonesQuery = queryOptions({
  queryKey: ['zone', 'list'],
  staleTime: 60_000,
  queryFn: async ({ signal }) =>
    (await call<{ availabilityZones: string[] }>('/v1/availability-zones', { signal })).availabilityZones,
})

/** As many as one answer holds. */
export const mostContainers = 1000

/** The newest containers, for what is shown of all of them together; read again with every change (live.ts). */
export const newestContainersQuery = queryOptions({
  queryKey: ['overview', 'containers'],
  queryFn: ({ signal }) => call<ContainerPage>('/v1/containers', { signal, query: { limit: mostContainers } }),
})

/** Names for ids that other objects carry; an id that is not known stands for itself. */
export function namesOf(objects: readonly { readonly id: string; readonly name: string }[] = []) {
  const names = new Map(objects.map(({ id, name }) => [id, name]))
  return (id: string | null): string => {
    if (id === null) return ''
    const name = names.get(id)
    return name === undefined || name === '' ? id.slice(0, 8) : name
  }
}

export function post(path: string, body: unknown): Promise<unknown> {
  return call(path, { method: 'POST', body })
}

export function patch(path: string, body: unknown): Promise<unknown> {
  return call(path, { method: 'PATCH', body })
}

export function remove(path: string): Promise<unknown> {
  return call(path, { method: 'DELETE' })
}
