/** Verbs that another service carries out are told of as if they were done here. */
import { Fault } from '@gantry/kernel'
import type { Caller, Snapshot, Subnet } from '@gantry/model'
import { expect, test, vi } from 'vitest'
import type { Change } from '../ports/change-table.ts'
import type { NetworkVerbs } from '../ports/networks.ts'
import type { VolumeVerbs } from '../ports/volumes.ts'
import { toldNetworks } from './told-networks.ts'
import { toldVolumes } from './told-volumes.ts'

const caller = { userId: 'u', projectId: 'p', requestId: 'req-1' } as Caller
const silent = { info() {}, warn() {}, error() {} }

function told() {
  const changes: Change[] = []
  const warned: object[] = []
  let isAway = false
  const add = async (added: readonly Change[]) => {
    if (isAway) throw new Error('the store is away')
    changes.push(...added)
  }
  const store = { changes: { add } } as unknown as Parameters<typeof toldNetworks>[1]['store']
  const log = { ...silent, warn: (fields: object) => void warned.push(fields) }
  const goAway = () => {
    isAway = true
  }
  return { changes, warned, goAway, parts: { store, clock: { now: () => Date.now() }, log } }
}

test('what a user makes and removes at a network service is told, by whom and what it was', async () => {
  const { changes, parts } = told()
  const subnet = { id: 's', projectId: 'p', networkId: 'n', name: 'sub', cidr: '10.0.0.0/24' } as unknown as Subnet
  const group = { id: 'g', projectId: 'p', name: 'web', description: '', rules: [{ id: 'rule' }] }
  const refused = async () => {
    throw new Fault('network.in-use', { type: 'subnet', ref: 'sub', reason: 'a port is on it' })
  }
  let mayGo = false
  const verbs = {
    subnets: {
      create: async () => subnet,
      get: async () => subnet,
      delete: () => (mayGo ? Promise.resolve() : refused()),
    },
    groups: {
      list: async () => [group],
      get: async () => group,
      addRule: async () => ({ id: 'rule' }),
      removeRule: async () => {},
    },
    networks: {},
    ports: {},
    routers: {},
    floatingIps: {},
  } as unknown as NetworkVerbs
  const { subnets, groups } = toldNetworks(verbs, parts)
  await subnets.create(caller, { network: 'n', name: 'sub', cidr: '10.0.0.0/24' })
  await expect(subnets.delete(caller, 'sub')).rejects.toMatchObject({ code: 'network.in-use' })
  mayGo = true
  await subnets.delete(caller, 'sub')
  await groups.addRule(caller, 'web', {} as Parameters<typeof groups.addRule>[2])
  await groups.removeRule(caller, 'rule')
  await groups.removeRule(caller, 'another')
  expect(changes.map(({ type, objectId }) => `${type} ${objectId}`)).toEqual([
    'subnet.create s',
    'subnet.delete s',
    'security_group.update g',
    'security_group.update g',
  ])
  expect(changes[0]).toMatchObject({
    projectId: 'p',
    userId: 'u',
    requestId: 'req-1',
    data: { name: 'sub', networkId: 'n' },
  })
})

test('what is done stays done although it cannot be written down', async () => {
  const { warned, goAway, parts } = told()
  const router = { id: 'r', projectId: 'p', name: 'r', gateway: null, interfaces: [] }
  const verbs = {
    networks: {},
    subnets: {},
    ports: {},
    groups: {},
    floatingIps: {},
    routers: { create: async () => router },
  }
  goAway()
  const { routers } = toldNetworks(verbs as unknown as NetworkVerbs, parts)
  expect(await routers.create(caller, { name: 'r' })).toBe(router)
  expect(warned).toMatchObject([{ type: 'router.create', id: 'r' }])
})

test('what a volume service has accepted is looked at until it has done it', async () => {
  const { changes, parts } = told()
  let now: Snapshot | null = {
    id: 's',
    projectId: 'p',
    name: 'snap',
    volumeId: 'v',
    size: 1,
    status: 'creating',
    statusReason: null,
    hostId: null,
    createdAt: 0,
  } as unknown as Snapshot
  const become = (status: Snapshot['status'] | null) => {
    now = now && status && { ...now, status }
  }
  const get = async () => {
    if (!now) throw new Fault('volume.not-found', { type: 'snapshot', ref: 's' })
    return now
  }
  const snapshots = { create: get, get, delete: async () => become('deleting') }
  const verbs = toldVolumes({ volumes: {}, backups: {}, snapshots } as unknown as VolumeVerbs, parts)
  const heard = () => changes.map(({ type, data }) => `${type} ${String(data['status'])}`)
  const comes = (told: string) => vi.waitFor(() => expect(heard().at(-1)).toBe(told), { timeout: 20_000 })
  await verbs.snapshots.create(caller, 'v', 'snap')
  become('available')
  await comes('snapshot.update available')
  await verbs.snapshots.delete(caller, 's')
  become(null)
  await comes('snapshot.delete deleting')
  expect(heard()).toEqual([
    'snapshot.create creating',
    'snapshot.update available',
    'snapshot.update deleting',
    'snapshot.delete deleting',
  ])
}, 60_000)
