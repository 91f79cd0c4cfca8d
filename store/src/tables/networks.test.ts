import type { SecurityGroup, SecurityGroupId, SecurityGroupRule, SecurityGroupRuleId } from '@gantry/model'
import type {
  NetworkId,
  PortForwarding,
  PortForwardingId,
  PortId,
  Router,
  RouterId,
  Subnet,
  SubnetId,
} from '@gantry/model'
import { expect, test } from 'vitest'
import { onSqlite, openStore } from '../testing/open-store.ts'
import { aFloatingIp, aNetwork, ours, theirs, wire } from '../testing/samples.ts'

const networkId = (id: string) => id as NetworkId
const groupId = (id: string) => id as SecurityGroupId

test('a project sees its networks, shared ones and external ones, oldest first and each once', async () => {
  await using opened = await openStore()
  const { networks } = opened.store
  await networks.insert(aNetwork('z-ours', { shared: true, external: true, mtu: 1442 }))
  await networks.insert(aNetwork('theirs', { projectId: theirs }))
  await networks.insert(aNetwork('lent', { projectId: theirs, shared: true }))
  await networks.insert(aNetwork('public', { projectId: theirs, external: true }))
  expect((await networks.visible(ours)).map(({ id }) => id)).toEqual(['z-ours', 'lent', 'public'])
  expect(await networks.visible(null)).toHaveLength(4)
  expect(await networks.get(networkId('z-ours'))).toEqual(
    aNetwork('z-ours', { shared: true, external: true, mtu: 1442 }),
  )
  await networks.rename(networkId('z-ours'), 'green')
  expect((await networks.get(networkId('z-ours')))?.name).toBe('green')
  expect(await networks.countOf(ours)).toBe(1)
  await networks.remove(networkId('z-ours'))
  expect(await networks.get(networkId('z-ours'))).toBeUndefined()
})

onSqlite('what a project sees is found through indexes', async () => {
  await using opened = await openStore()
  const plan = await opened.planOf(() => opened.store.networks.visible(ours))
  expect(plan.filter((step) => step.startsWith('SCAN'))).toEqual([])
})

test('subnets come back whole, by network', async () => {
  await using opened = await openStore()
  const { subnets } = opened.store
  const subnet: Subnet = {
    id: 's1' as SubnetId,
    networkId: wire,
    projectId: ours,
    name: 'six',
    version: 6,
    cidr: 'fd00::/64',
    gateway: null,
    pools: [{ start: 'fd00::2', end: 'fd00::ffff' }],
    dnsServers: ['fd00::53'],
    createdAt: 5,
  }
  const other: Subnet = { ...subnet, id: 's2' as SubnetId, networkId: networkId('n2'), version: 4, gateway: '10.0.0.1' }
  await subnets.insert(subnet)
  await subnets.insert(other)
  expect(await subnets.get(subnet.id)).toEqual(subnet)
  expect(await subnets.ofNetworks([wire, networkId('n2')])).toEqual([subnet, other])
  expect(await subnets.ofNetworks([])).toEqual([])
  await subnets.remove(subnet.id)
  expect(await subnets.countOf(ours)).toBe(1)
})

function aRule(id: string, group: string, rest: Partial<SecurityGroupRule> = {}): SecurityGroupRule {
  return {
    id: id as SecurityGroupRuleId,
    groupId: groupId(group),
    direction: 'ingress',
    version: 4,
    protocol: 'tcp',
    portMin: 0,
    portMax: 80,
    remoteGroupId: null,
    remotePrefix: null,
    ...rest,
  }
}

function aGroup(id: string, rules: readonly SecurityGroupRule[] = []): SecurityGroup {
  return { id: groupId(id), projectId: ours, name: id, description: '', rules, createdAt: 1 }
}

test('a group carries its rules; they go with it, and so do rules that name it', async () => {
  await using opened = await openStore()
  const { groups } = opened.store
  const web = aGroup('web', [
    aRule('r1', 'web', { remoteGroupId: groupId('web') }),
    aRule('r2', 'web', { protocol: null, portMin: null, portMax: null, remotePrefix: '10.0.0.0/8' }),
  ])
  await groups.insert(web)
  await groups.insert(aGroup('db'))
  await groups.insertRule(aRule('r3', 'db', { remoteGroupId: groupId('web') }))
  expect(await groups.get(groupId('web'))).toEqual(web)
  expect((await groups.list(ours)).map(({ rules }) => rules.length)).toEqual([2, 1])
  expect((await groups.naming(groupId('web'))).toSorted()).toEqual(['db', 'web'])
  await groups.remove(groupId('web'))
  expect(await groups.getRule('r1' as SecurityGroupRuleId)).toBeUndefined()
  expect(await groups.getMany([groupId('db'), groupId('web')])).toEqual([aGroup('db')])
  await groups.insertRule(aRule('r4', 'db'))
  await groups.removeRule(aRule('r4', 'db'))
  expect((await groups.get(groupId('db')))?.rules).toEqual([])
})

test('routers are found by the networks of their interfaces, as these are now', async () => {
  await using opened = await openStore()
  const { routers } = opened.store
  const on = (network: string, port: string) => ({
    portId: port as PortId,
    networkId: networkId(network),
    subnetId: 's1' as SubnetId,
    address: '10.0.0.1',
  })
  const router: Router = {
    id: 'r1' as RouterId,
    projectId: ours,
    name: 'out',
    gateway: { networkId: networkId('public'), portId: 'gw' as PortId, address: '172.24.4.9', snat: true },
    interfaces: [on('n1', 'a'), on('n1', 'b')],
    createdAt: 1,
  }
  await routers.insert(router)
  await routers.insert({ ...router, id: 'r2' as RouterId, gateway: null, interfaces: [] })
  expect(await routers.get(router.id)).toEqual(router)
  expect(await routers.onNetworks([wire, networkId('public')])).toEqual([router])
  await routers.update(router.id, { interfaces: [on('n2', 'c')], gateway: null })
  expect(await routers.onNetworks([wire])).toEqual([])
  expect((await routers.onNetworks([networkId('n2'), wire])).map(({ gateway }) => gateway)).toEqual([null])
  await routers.update(router.id, { name: 'in' })
  expect(await routers.onNetworks([networkId('n2')])).toHaveLength(1)
  await routers.remove(router.id)
  expect(await routers.onNetworks([networkId('n2')])).toEqual([])
  expect((await routers.list(ours)).map(({ id }) => id)).toEqual(['r2'])
})

test('a floating IP holds its address on its network, and each of its ports leads one way', async () => {
  await using opened = await openStore()
  const { floatingIps } = opened.store
  const forwarding = (id: string, externalPort: number, port = 'port-1'): PortForwarding => ({
    id: id as PortForwardingId,
    protocol: 'tcp',
    externalPort,
    portId: port as PortId,
    address: '10.0.0.1',
    internalPort: 80,
  })
  const first = aFloatingIp(1, { forwardings: [forwarding('f1', 80)] })
  await floatingIps.insert(first)
  await expect(floatingIps.insert(aFloatingIp(2, { address: first.address }))).rejects.toMatchObject({
    code: 'address.in-use',
  })
  await expect(floatingIps.addForwarding(first.id, forwarding('f2', 80))).rejects.toMatchObject({
    code: 'network.conflict',
  })
  await floatingIps.addForwarding(first.id, forwarding('f3', 443, 'port-2'))
  await floatingIps.insert(aFloatingIp(3, { portId: 'port-2' as PortId, routerId: 'r1' as RouterId }))
  expect((await floatingIps.ofPort('port-2' as PortId)).map(({ id }) => id)).toEqual(['fip-1', 'fip-3'])
  expect((await floatingIps.ofRouter('r1' as RouterId)).map(({ id }) => id)).toEqual(['fip-3'])
  await floatingIps.removeForwarding(first.id, 'f3' as PortForwardingId)
  expect(await floatingIps.get(first.id)).toEqual(first)
  await floatingIps.update(aFloatingIp(3).id, { portId: null, routerId: null })
  expect(await floatingIps.list(ours)).toEqual([first, aFloatingIp(3)])
  await floatingIps.remove(first.id)
  expect(await floatingIps.ofPort('port-1' as PortId)).toEqual([])
  expect(await floatingIps.countOf(ours)).toBe(1)
})
