import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { shellSplit } from './shell-split.ts'

describe('shellSplit', () => {
  test.each([
    ['ls -a', ['ls', '-a']],
    ['"echo" "hi"', ['echo', 'hi']],
    [`sh -c 'echo "a b"; exit 3'`, ['sh', '-c', 'echo "a b"; exit 3']],
    [`a\\ b 'c'"d"e`, ['a b', 'cde']],
    [`"a\\"b" "c\\\\d" "\\n"`, ['a"b', 'c\\d', '\\n']],
    ['\'\' ""', ['', '']],
    ['  \t\n ', []],
    ['echo $HOME `id` #no', ['echo', '$HOME', '`id`', '#no']],
  ])('%s', (line, words) => {
    expect(shellSplit(line)).toEqual(words)
  })

  test.each(['echo "open', "echo 'open", 'echo \\'])('%s is refused', (line) => {
    expect(() => shellSplit(line)).toThrow(expect.objectContaining({ status: 400 }))
  })

  test('gives back any words that were quoted', () => {
    const quoted = (word: string) => `'${word.replaceAll("'", `'\\''`)}'`
    const quotedTwice = (word: string) => `"${word.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), (words) => {
        expect(shellSplit(words.map(quoted).join(' '))).toEqual(words)
        expect(shellSplit(words.map(quotedTwice).join('\n'))).toEqual(words)
      }),
    )
  })
})
