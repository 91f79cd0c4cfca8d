import type { ServerId } from '@gantry/control'
import type { HostId, NetworkId } from '@gantry/model'
import { expect, test } from 'vitest'
import { openStore } from '../testing/open-store.ts'
import { aContainer, aPort } from '../testing/samples.ts'

const server = 'server-1' as ServerId
const hosts = ['h1', 'h2', 'h3'] as HostId[]

test('sessions of many hosts that are opened at once are numbered each by itself', async () => {
  await using opened = await openStore()
  const { sessions } = opened.store
  await sessions.open('h2' as HostId, server, 1)
  expect(await Promise.all(hosts.map((host) => sessions.open(host, server, 2)))).toEqual([1, 2, 1])
  expect(await sessions.get('h2' as HostId)).toEqual({ hostId: 'h2', serverId: server, number: 2, since: 2 })
})

test('two sessions of one host that are opened at once have two numbers', async () => {
  await using opened = await openStore()
  const { sessions } = opened.store
  expect(await Promise.all([1, 2].map((at) => sessions.open('h1' as HostId, server, at)))).toEqual([1, 2])
})

test('each of many hosts that ask at once is told what it has', async () => {
  await using opened = await openStore()
  const { containers, ports } = opened.store
  for (const [id, hostId] of [
    ['a', 'h1'],
    ['b', 'h3'],
    ['c', 'h3'],
  ] as const) {
    await containers.insert(aContainer(id, { hostId: hostId as HostId }))
  }
  await ports.insert(aPort(1, { hostId: 'h3' as HostId, networkId: 'n9' as NetworkId }))
  const held = await Promise.all(hosts.map((host) => containers.ofHost(host)))
  expect(held.map((ofOne) => ofOne.map(({ id }) => id).toSorted())).toEqual([['a'], [], ['b', 'c']])
  expect(await Promise.all(hosts.map((host) => ports.networksOnHost(host)))).toEqual([[], [], ['n9']])
})
