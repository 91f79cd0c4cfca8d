import { describe, expect, test } from 'vitest'
import { canonicalFields, isNothing } from './canonical.ts'

describe('the spelling of fields', () => {
  test.each(['privileged', 'PRIVILEGED', 'pRiViLeGeD', 'Privileged'])('%s is Privileged', (key) => {
    expect(canonicalFields(['Privileged'], { [key]: true })).toEqual({ Privileged: true })
  })

  test('letters that engines fold to ASCII', () => {
    expect(canonicalFields(['IpcMode', 'SecurityOpt', 'Links'], { ['Lin\u212A\u017F']: 1 })).toEqual({ Links: 1 })
  })

  test('what is not known keeps its own', () => {
    expect(canonicalFields(['Binds'], { binds: [], Bounds: 1 })).toEqual({ Binds: [], Bounds: 1 })
    expect(Object.hasOwn(canonicalFields([], JSON.parse('{"__proto__":{"a":1}}')), '__proto__')).toBe(true)
  })

  test('a field under two spellings is refused', () => {
    expect(() => canonicalFields(['Binds'], { Binds: [], binds: ['/:/h'] })).toThrow('Binds is said twice')
  })
})

test('values that say nothing', () => {
  for (const value of [null, undefined, false, 0, '', [], {}, [0, 0]]) expect(isNothing(value)).toBe(true)
  for (const value of [true, 1, -1, ' ', ['/:/h'], { '/proc': {} }]) expect(isNothing(value)).toBe(false)
})
