import { expect, test } from 'vitest'
import { simFacts } from '../testing/sim-host.ts'
import { architectureName, runsOn } from './architectures.ts'

test.each([
  ['x86_64', 'amd64'],
  ['x64', 'amd64'],
  ['aarch64', 'arm64'],
  ['armv7l', 'arm'],
  ['i686', '386'],
  ['s390x', 's390x'],
])('%s is what images call %s', (word, name) => {
  expect(architectureName(word)).toBe(name)
})

test.each([
  ['x86_64', 'amd64', true],
  ['x86_64', '386', true],
  ['x86_64', 'arm64', false],
  ['aarch64', 'arm', true],
  ['aarch64', 'amd64', false],
  ['armv7l', 'arm64', false],
  // Nobody knows: it is for its engine to say.
  ['', 'riscv64', true],
])('a host of %s runs what was made for %s: %s', (architecture, made, does) => {
  expect(runsOn({ ...simFacts, architecture }, made)).toBe(does)
})

test('a host may say that it emulates others', () => {
  const facts = { ...simFacts, labels: { 'gantry.architectures': 'aarch64, s390x' } }
  expect(['arm64', 's390x', 'amd64', 'riscv64'].map((made) => runsOn(facts, made))).toEqual([true, true, true, false])
})
