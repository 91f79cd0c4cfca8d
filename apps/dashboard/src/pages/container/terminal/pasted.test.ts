import { expect, test } from 'vitest'
import { harmless, runsAtOnce } from './pasted.ts'

test('what ends a bracketed paste, or is a key of its own, is taken out', () => {
  expect(harmless('ls\x1b[201~\r\nrm -rf /\x03\x04\x7f\x9b31m\tend')).toBe('ls[201~\nrm -rf /31m\tend')
})

test('one line with its end runs at once, too', () => {
  expect([runsAtOnce('ls -l'), runsAtOnce('ls\n'), runsAtOnce('a\nb')]).toEqual([false, true, true])
})
