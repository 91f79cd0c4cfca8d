import type { Caller, FloatingIp } from '@gantry/model'
import { expect, test } from 'vitest'
import type { DockerContext } from './context.ts'
import { portsOf } from './translate-ports.ts'

const caller = { projectId: 'p' } as Caller
const control = { network: { floatingIps: { list: async () => [{ address: '172.24.4.9' } as FloatingIp] } } }
const docker = { control } as unknown as DockerContext
const of = (PortBindings: Record<string, unknown>, more = {}, ExposedPorts = {}) =>
  portsOf(docker, caller, { config: { ExposedPorts }, host: { PortBindings, ...more } })

test('bindings are published and open what they lead to', async () => {
  const found = await of(
    {
      '80/tcp': [
        { HostIp: '', HostPort: '8080' },
        { HostIp: '172.24.4.9', HostPort: '80' },
      ],
      '53/udp': [{ HostIp: '0.0.0.0', HostPort: '' }],
      '443/tcp': null,
    },
    { PublishAllPorts: true },
    { '9000/tcp': {}, '80/tcp': {} },
  )
  expect(found).toEqual({
    publish: [
      { protocol: 'tcp', containerPort: 80, publicPort: 8080, address: null },
      { protocol: 'tcp', containerPort: 80, publicPort: 80, address: '172.24.4.9' },
      { protocol: 'udp', containerPort: 53, publicPort: null, address: null },
      { protocol: 'tcp', containerPort: 443, publicPort: null, address: null },
    ],
    exposedPorts: ['9000/tcp', '80/tcp', '53/udp', '443/tcp'],
    publishAll: true,
  })
})

test.each(['127.0.0.1', '10.0.0.1', '172.24.4.10', 'fe80::1', 'localhost'])(
  'host address %s is refused by the name of its field',
  async (HostIp) => {
    await expect(of({ '80/tcp': [{ HostIp, HostPort: '80' }] })).rejects.toMatchObject({
      code: 'policy.field',
      details: { field: `PortBindings.HostIp ${HostIp}` },
    })
  },
)

test.each([
  [{ '0/tcp': [] }, {}],
  [{ '70000/tcp': [] }, {}],
  [{ 'x/tcp': [] }, {}],
  [{ '80/icmp': [] }, {}],
  [{ '80/tcp': [{ HostPort: '70000' }] }, {}],
  [{ '80/tcp': [{ HostPort: '-1' }] }, {}],
  [{ '80/tcp': [{ HostPort: {} }] }, {}],
  [{}, { '20-10/tcp': {} }],
])('%j with %j is refused', async (bindings, exposed) => {
  await expect(of(bindings, {}, exposed)).rejects.toMatchObject({ status: 400 })
})

test('a range that is exposed is all of its ports', async () => {
  expect((await of({}, {}, { '3000-3002/udp': {} })).exposedPorts).toEqual(['3000/udp', '3001/udp', '3002/udp'])
})
