import fc from 'fast-check'
import { expect, test } from 'vitest'
import { dockerId, execIdOf, execOf, shortId, uuidOf } from './ids.ts'

const uuids = fc.uuid()
const digest = fc
  .array(fc.constantFrom(...'0123456789abcdef'.split('')), { minLength: 64, maxLength: 64 })
  .map((all) => all.join(''))

test('an id leads back to its uuid, whole or cut', () => {
  fc.assert(
    fc.property(uuids, fc.integer({ min: 32, max: 64 }), (uuid, length) => {
      const id = dockerId(uuid)
      expect(id).toMatch(/^[0-9a-f]{64}$/)
      expect(uuidOf(id.slice(0, length))).toBe(uuid)
      expect(id.startsWith(shortId(uuid))).toBe(true)
    }),
  )
})

test('digits that are no id of ours lead nowhere', () => {
  fc.assert(fc.property(digest, (digits) => uuidOf(digits) === undefined))
  expect(uuidOf('abc')).toBeUndefined()
})

test('an exec id names its container and the engine’s own id', () => {
  fc.assert(
    fc.property(uuids, digest, (uuid, exec) => {
      expect(execOf(execIdOf(uuid, exec))).toEqual({ containerId: uuid, engineExecId: exec })
      expect(execOf(exec)).toBeUndefined()
    }),
  )
})
