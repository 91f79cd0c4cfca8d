import type { Port } from '@gantry/openstack'
import { describe, expect, test } from 'vitest'
import { vifOf } from './vif-of.ts'

function bound(type: string | null, details: Record<string, unknown> = {}): Port {
  return {
    id: '0c1d2e3f-0000-4000-8000-000000000000',
    network_id: 'abcdef01-2345-4000-8000-000000000000',
    mac_address: 'fa:16:3e:00:00:01',
    status: 'DOWN',
    fixed_ips: [],
    'binding:vif_type': type,
    'binding:vif_details': details,
  }
}

describe('how a port is plugged, by its binding', () => {
  test.each([
    ['bridge', { port_filter: true }, { kind: 'bridge', bridge: 'brqabcdef01-23', filters: true }],
    ['bridge', { bridge_name: 'br-flat' }, { kind: 'bridge', bridge: 'br-flat', filters: false }],
    ['ovs', { ovs_hybrid_plug: true }, { kind: 'ovs', bridge: 'br-int', hybrid: true }],
    ['ovs', { bridge_name: 'br-x' }, { kind: 'ovs', bridge: 'br-x', hybrid: false }],
    ['tap', {}, { kind: 'tap' }],
  ])('%s with %j', (type, details, vif) => {
    expect(vifOf(bound(type, details), 'h')).toEqual(vif)
  })

  test.each([
    ['binding_failed', 'could not bind port'],
    ['unbound', 'to host h: no agent of that name is alive'],
    ['midonet', '"midonet" cannot be plugged'],
    [null, 'does not tell'],
  ])('%s is refused with a sentence', (type, sentence) => {
    expect(() => vifOf(bound(type), 'h')).toThrow(sentence)
  })
})
