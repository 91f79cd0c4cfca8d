import { describe, expect, test } from 'vitest'
import { hasOtherNetwork, macBeforeOf, marksOf, poolIdOf, poolRefOf, portOfGroup, tags } from './names.ts'
import { neutronOptions } from './neutron-options.ts'

const id = 'c99cee8547d8a1d7c2ca146c87cc355c1b42cf210b426cf9b60251667d22a179'
const other = `d${id.slice(1)}`

describe('what stands in Neutron for Docker', () => {
  test('tags are no longer than old Neutrons take, and tell networks apart', () => {
    expect(tags.network(id).every((tag) => tag.length <= 60)).toBe(true)
    expect(
      tags
        .network(id)
        .map((tag) => tag.slice(-32))
        .join(''),
    ).toBe(id)
    expect(hasOtherNetwork([...tags.network(id), tags.existingNetwork(id), 'blue'], id)).toBe(false)
    expect(hasOtherNetwork([...tags.network(id), ...tags.network(other)], id)).toBe(true)
    expect(tags.network('v1qjdy2c4rvgf4kqdn7c3ej6y')).toHaveLength(2)
  })

  test('marks name the host: what another one made is never ours', () => {
    const marks = marksOf('node-1')
    expect(marks.dockerIdOf(marks.network(id))).toBe(id)
    expect(marksOf('node-2').dockerIdOf(marks.network(id))).toBe(null)
    expect(marks.dockerIdOf('a network of mine')).toBe(null)
    expect(marks.isFloatingIp(marks.floatingIp('n'))).toBe(true)
    expect(marksOf('node-2').isFloatingIp(marks.floatingIp('n'))).toBe(false)
  })

  test('ids of pools carry the block; those of kuryr-libnetwork did not', () => {
    const poolId = '7f8b5b8e-3a9d-4e53-8a9e-1f4f8f3f0c11'
    const ref = { poolId, cidr: 'fd00::/64' }
    expect(poolRefOf(poolIdOf(ref))).toEqual(ref)
    expect(poolRefOf(poolId)).toEqual({ poolId, cidr: null })
    expect(() => poolRefOf('nonsense')).toThrow('no address pool')
  })

  test('of a group and an existing port', () => {
    expect(portOfGroup('4f-exposed_ports')).toBe('4f')
    expect(portOfGroup('web')).toBe(null)
    expect(macBeforeOf(['a', tags.macBefore('fa:16:3e:00:00:01')])).toBe('fa:16:3e:00:00:01')
    expect(macBeforeOf([])).toBe(null)
  })
})

describe('-o and --ipam-opt', () => {
  test('each family has its own', () => {
    const options = {
      'neutron.pool.name': 'four',
      'neutron.pool.v6.uuid': 'six',
      'neutron.net.shared': 'True',
      other: '1',
    }
    expect(neutronOptions(options, 4)).toEqual({ network: null, subnet: null, pool: { name: 'four' }, shared: true })
    expect(neutronOptions(options, 6)).toMatchObject({ pool: { id: 'six' } })
  })

  test('an id goes before a name', () => {
    const options = { 'neutron.net.name': 'n', 'neutron.net.uuid': 'u', 'neutron.subnet.name': '' }
    expect(neutronOptions(options, 4)).toMatchObject({ network: { id: 'u' }, subnet: null, shared: null })
  })

  test('what is misspelt is refused', () => {
    expect(() => neutronOptions({ 'neutron.net.id': 'x' }, 4)).toThrow('There is no option neutron.net.id')
    expect(() => neutronOptions({ 'neutron.net.shared': 'maybe' }, 4)).toThrow('true or false')
  })
})
