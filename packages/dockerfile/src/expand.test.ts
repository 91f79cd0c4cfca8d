import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { expand, lookupIn } from './expand.ts'

const known = lookupIn(['A=a', 'EMPTY=', 'B=b c', 'A=second'])
const of = (word: string, escape = '\\') => expand(word, known, escape)

describe('expand', () => {
  test.each([
    ['$A', 'a'],
    ['${A}b', 'ab'],
    ['$Ab', ''],
    ['$NONE', ''],
    ['${NONE:-d}', 'd'],
    ['${EMPTY:-d}', 'd'],
    ['${A:-d}', 'a'],
    ['${A:+d}', 'd'],
    ['${EMPTY:+d}', ''],
    ['${NONE:-${A}x}', 'ax'],
    ["'$A'", '$A'],
    ['"$A"', 'a'],
    ['"\\$A"', '$A'],
    ['"\\n"', '\\n'],
    ['\\$A', '$A'],
    ['a\\ b', 'a b'],
    ['$', '$'],
    ['$B', 'b c'],
    ['a"b"\'c\'', 'abc'],
  ])('%s is %s', (word, value) => {
    expect(of(word)).toBe(value)
  })

  test('with another escape', () => {
    expect(of('`$A\\', '`')).toBe('$A\\')
  })

  test.each(["'open", '"open', '${A', '${A:=x}', '${A:-open', '${}', '${A:?'])('%s is refused', (word) => {
    expect(() => of(word)).toThrow()
  })

  test('what has no sign of its own stays as it is', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[\w ./:=@-]*$/), (word) => {
        expect(of(word)).toBe(word)
      }),
    )
  })
})
