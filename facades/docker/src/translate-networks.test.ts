import { Fault } from '@gantry/kernel'
import type { Caller, Network } from '@gantry/model'
import { expect, test } from 'vitest'
import type { DockerContext } from './context.ts'
import { dockerId } from './ids.ts'
import { findNetwork } from './known-networks.ts'
import { netsOf } from './translate-networks.ts'

const caller = { projectId: 'p' } as Caller
const uuids = { usual: '11111111-1111-4111-8111-111111111111', web: '22222222-2222-4222-8222-222222222222' }
const usual = { id: uuids.usual, name: 'private', usual: true, projectId: 'p', external: false } as Network
const web = { ...usual, id: uuids.web, name: 'web', usual: false } as Network
const foreign = { ...web, id: 'f', projectId: 'other' } as Network
const outside = { ...foreign, id: 'o', name: 'public', external: true } as Network

const networks = { ensureUsual: async () => usual, list: async () => [outside, foreign, web, usual] }
const docker = {
  control: { network: { networks } },
  async find(_caller: Caller, ref: string) {
    if (ref === 'db') return { id: 'c-db' }
    throw new Fault('container.not-found', { ref })
  },
} as unknown as DockerContext

const of = (NetworkMode: string, EndpointsConfig: Record<string, unknown> = {}, minor = 44, more = {}) =>
  netsOf(docker, caller, { host: { NetworkMode, ...more }, networking: { EndpointsConfig }, minor })

test.each(['', 'default', 'bridge'])('mode %j is the usual network', async (mode) => {
  const expected = { nets: [{ network: usual.id, addresses: [] }], unplugged: false, options: {} }
  expect(await of(mode)).toEqual(expected)
})

test('an endpoint brings addresses, names and links', async () => {
  const found = await of('web', {
    web: { IPAMConfig: { IPv4Address: '10.0.0.9' }, Aliases: ['a', 'a'], Links: ['db:base'], MacAddress: null },
  })
  expect(found).toEqual({
    nets: [{ network: web.id, addresses: ['10.0.0.9'] }],
    unplugged: false,
    options: { aliases: { [web.id]: ['a'] }, links: [{ containerId: 'c-db', alias: 'base' }] },
  })
})

test('links of old are links too', async () => {
  const { options } = await of('default', {}, 44, { Links: ['/db:/web/base', 'db'] })
  expect(options.links).toEqual([
    { containerId: 'c-db', alias: 'base' },
    { containerId: 'c-db', alias: 'db' },
  ])
  await expect(of('default', {}, 44, { Links: ['nosuch'] })).rejects.toThrow('No such container: nosuch')
})

test('several networks need a client of today', async () => {
  const both = { web: {}, bridge: {} }
  expect((await of('web', both)).nets.map((net) => 'network' in net && net.network)).toEqual([web.id, usual.id])
  await expect(of('web', both, 43)).rejects.toThrow('Container cannot be connected to network endpoints: web, bridge')
})

test('none is none', async () => {
  expect(await of('none')).toEqual({ nets: [], unplugged: true, options: {} })
  expect(await of('none', { none: {} })).toMatchObject({ unplugged: true })
  await expect(of('none', { web: {} })).rejects.toMatchObject({ status: 400 })
})

test.each(['host', 'container:db'])('mode %s is refused', async (mode) => {
  await expect(of(mode)).rejects.toMatchObject({ code: 'policy.field' })
})

test('a network is found by name, id and the beginning of an id, external ones never', async () => {
  const find = async (ref: string) => (await findNetwork(docker.control, caller, ref)).id
  for (const ref of ['web', web.id, dockerId(web.id), '2222']) expect(await find(ref)).toBe(web.id)
  expect(await find('bridge')).toBe(usual.id)
  for (const ref of ['public', 'private', 'o', 'zz', '']) {
    await expect(find(ref)).rejects.toMatchObject({ code: 'network.not-found' })
  }
})
