import { type Clock, gathered } from '@gantry/kernel'
import type { Change } from '../ports/change-table.ts'
import { type HostHello, hostLock, type Store, type Tables } from '../ports/store.ts'
import { ContainerRecorder } from './recorded-containers.ts'
import { recordedObjects } from './recorded-objects.ts'

/**
 * The same store, in which whatever changes is told of in the very transaction that changes it: no change without its event, no event
 * without its change. What is written outside of a transaction gets one of its own.
 */
export function recorded(store: Store, clock: Clock): Store {
  const now = () => clock.now()
  const transaction: Store['transaction'] = (work, locks) =>
    store.transaction((tables) => recording(tables, now, work), locks)
  const alone = <K extends keyof Tables>(table: K, verbs: readonly (keyof Tables[K])[]): Tables[K] => {
    const each = verbs.map((verb) => {
      const call = (...args: unknown[]) =>
        transaction((tables) => (tables[table][verb] as (...args: unknown[]) => Promise<unknown>)(...args), [])
      return [verb, call]
    })
    return { ...store[table], ...Object.fromEntries(each) }
  }
  return {
    ...store,
    transaction,
    containers: alone('containers', ['insert', 'update', 'remove']),
    actions: alone('actions', ['insert', 'finishUpTo', 'finish']),
    capsules: alone('capsules', ['insert', 'remove']),
    networks: alone('networks', ['insert', 'rename', 'makeUsual', 'remove']),
    subnets: alone('subnets', ['insert', 'remove']),
    ports: alone('ports', ['insert', 'update', 'remove']),
    groups: alone('groups', ['insert', 'insertRule', 'removeRule', 'remove']),
    routers: alone('routers', ['insert', 'update', 'remove']),
    floatingIps: alone('floatingIps', ['insert', 'update', 'addForwarding', 'removeForwarding', 'remove']),
    volumes: alone('volumes', ['insert', 'update', 'remove']),
    snapshots: alone('snapshots', ['insert', 'update', 'remove']),
    backups: alone('backups', ['insert', 'update', 'remove']),
    cloudPorts: alone('cloudPorts', ['insert', 'assign', 'remove']),
    cloudNetworks: alone('cloudNetworks', ['insert', 'finish']),
    cloudVolumes: alone('cloudVolumes', ['insert', 'update', 'remove']),
    cloudAttachments: alone('cloudAttachments', ['insert', 'update', 'remove']),
    registries: alone('registries', ['insert', 'update', 'remove']),
    images: alone('images', ['insert', 'update', 'remove']),
    hosts: {
      ...alone('hosts', ['change', 'remove']),
      // All say hello at once after a server's death, when others must not wait for each.
      upsert: gathered((hosts: readonly HostHello[]) =>
        transaction(
          async (tables) => {
            await tables.hosts.upsertMany(hosts)
            return hosts.map(() => undefined)
          },
          hosts.map(({ id }) => hostLock(id)),
        ),
      ),
    },
    quotas: alone('quotas', ['setProject', 'clearProject', 'setClass']),
  }
}

async function recording<T>(tables: Tables, now: () => number, work: (tables: Tables) => Promise<T>): Promise<T> {
  const recorder = new ContainerRecorder(tables)
  const objects = recordedObjects(tables, now)
  const { capsules } = objects.tables
  const result = await work({
    ...tables,
    ...objects.tables,
    containers: recorder.containers(),
    actions: recorder.actions(),
    capsules: { ...capsules, members: async (id) => recorder.seen(await capsules.members(id)) },
  })
  const changes: Change[] = []
  for (const each of [...objects.recorders, recorder]) changes.push(...(await each.changes(now())))
  if (changes.length > 0) await tables.changes.add(changes)
  return result
}
