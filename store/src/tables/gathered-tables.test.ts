import { createHash } from 'node:crypto'
import type { ServerId } from '@gantry/control'
import type { ContainerId, HostId, NetworkId } from '@gantry/model'
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

test('what stands for the containers of a host is what its agent makes of them', async () => {
  await using opened = await openStore()
  const { containers } = opened.store
  const at = (id: string, hostId: string, change: object = {}) =>
    aContainer(id, { hostId: hostId as HostId, ...change })
  const held = [at('a', 'h1'), at('b', 'h3', { name: 'ü"\\' }), at('c', 'h3')]
  for (const container of held) await containers.insert(container)
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
  // As `holdingsDigest` of the wire does it.
  const digestOf = (host: string) => {
    const ofHost = held.filter(({ hostId }) => hostId === host)
    const parts = ofHost.map(({ id, ...of }) => [id, [of.wish, of.nics, of.mounts, of.observed]] as const)
    return sha256(
      parts.map(([id, all]) => `${id} ${sha256(all.map((part) => JSON.stringify(part)).join(''))}`).join(''),
    )
  }
  const all = () => Promise.all(hosts.map((host) => containers.holdings(host)))
  expect(await all()).toEqual(['h1', 'h2', 'h3'].map(digestOf))
  await containers.update('b' as ContainerId, { lease: 30 })
  expect(await all()).toEqual([digestOf('h1'), digestOf('h2'), null])
})
