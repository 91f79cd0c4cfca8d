import { describe, expect, test } from 'vitest'
import { multiattachType } from './cinder-make.ts'

const plain = { id: '1', name: 'plain', extra_specs: { volume_backend_name: 'x' } }
const many = { id: '2', name: 'many', extra_specs: { multiattach: '<is> True' } }
const also = { id: '3', name: 'also', extra_specs: { multiattach: '<is> true' } }
const never = { id: '4', name: 'never', extra_specs: { multiattach: '<is> False' } }

describe('the volume type of multiattach=true', () => {
  test('the one that is wanted, by name or id, else the first by name', () => {
    expect(multiattachType([plain, many, also], 'many')).toBe('many')
    expect(multiattachType([plain, many, also], '2')).toBe('many')
    expect(multiattachType([plain, many, also, never], undefined)).toBe('also')
  })

  test('one of which the cloud does not show what it is like', () => {
    expect(multiattachType([{ id: '5', name: 'hidden' }], 'hidden')).toBe('hidden')
  })

  test('what does not fit is refused with what would', () => {
    expect(() => multiattachType([plain, many], 'plain')).toThrow(/plain is not for multiattach=true .*; many would do/)
    expect(() => multiattachType([plain, never], 'never')).toThrow(/no type is/)
    expect(() => multiattachType([plain], 'x')).toThrow('There is no volume type x.')
    expect(() => multiattachType([plain, never], undefined)).toThrow(
      /has none: an administrator can make one \(openstack/,
    )
  })
})
