import { expect, test } from 'vitest'
import { agoText, bytesText, counted, mebibytesText, short } from './amounts.ts'

test.each([
  [0, '0 bytes'],
  [1023, '1,023 bytes'],
  [1_070_000, '1.02 MiB'],
  [2 ** 40, '1 TiB'],
  [2 ** 70, '1,048,576 PiB'],
])('%d bytes are %s', (bytes, text) => {
  expect(bytesText(bytes)).toBe(text)
})

test('memory and counts are told as people say them', () => {
  expect(mebibytesText(51_200)).toBe('50 GiB')
  expect(short(0.30000000000000004)).toBe('0.3')
  expect(counted(1, 'registry', 'registries')).toBe('1 registry')
  expect(counted(1001, 'container')).toBe('1,001 containers')
})

const now = Date.parse('2026-11-29T12:00:00Z')
test.each([
  ['2026-11-29T11:59:55Z', 'just now'],
  ['2026-11-29T11:59:30Z', '30 seconds ago'],
  ['2026-11-29T11:57:10Z', '2 minutes ago'],
  ['2026-11-29T09:00:00Z', '3 hours ago'],
  ['2026-11-28T11:00:00Z', 'yesterday'],
  ['2026-11-01T12:00:00Z', '28 days ago'],
])('%s was %s', (time, text) => {
  expect(agoText(time, now)).toBe(text)
})
