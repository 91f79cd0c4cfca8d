import { expect, test } from 'vitest'
import { marked, piecesOf, plainText } from './ansi.ts'

test('colours become pieces, and end where they are taken back', () => {
  expect(piecesOf('\x1b[1;31mERR\x1b[0m plain \x1b[92mok\x1b[39m end')).toEqual([
    { text: 'ERR', isBold: true, colour: 'red' },
    { text: ' plain ' },
    { text: 'ok', colour: 'green' },
    { text: ' end' },
  ])
})

test('colours of 256 and of a million are left out without taking their numbers for codes', () => {
  expect(piecesOf('\x1b[38;5;31ma\x1b[48;2;31;32;33mb')).toEqual([{ text: 'a' }, { text: 'b' }])
})

test('whatever else a terminal would not show is not shown', () => {
  const hostile = '\x1b]0;title\x07\x1b[2J\x1b[10;20Ha\x00b\x08\x1b(Bc\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\\td'
  expect(plainText(hostile)).toBe('abclink\td')
  expect(
    piecesOf(hostile)
      .map(({ text }) => text)
      .join(''),
  ).toBe('abclink\td')
})

test('a match is found across colours, whatever the case', () => {
  const found = marked(piecesOf('time\x1b[31mOut\x1b[0m and timeout'), 'timeout')
  expect(found).toEqual([
    { text: 'time', isMatch: true },
    { text: 'Out', colour: 'red', isMatch: true },
    { text: ' and ' },
    { text: 'timeout', isMatch: true },
  ])
})

test('matches that touch are two', () => {
  expect(marked([{ text: 'xaax' }], 'a').map(({ text, isMatch }) => [text, isMatch])).toEqual([
    ['x', undefined],
    ['a', true],
    ['a', true],
    ['x', undefined],
  ])
})
