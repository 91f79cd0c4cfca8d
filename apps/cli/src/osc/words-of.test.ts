import { expect, test } from 'vitest'
import { wordsOf } from './words-of.ts'

test.each([
  ['/usr/sbin/sshd -D', ['/usr/sbin/sshd', '-D']],
  ['  sh   -c "echo $HOME; echo \\"x\\""  ', ['sh', '-c', 'echo $HOME; echo "x"']],
  ["sh -c 'a  b'c\\ d", ['sh', '-c', 'a  bc d']],
  ['echo ""', ['echo', '']],
  ['', []],
  ['   ', []],
])('%s', (text, words) => expect(wordsOf(text)).toEqual(words))

test.each(["sh -c 'a", 'echo "a', 'a\\'])('%s is refused', (text) =>
  expect(() => wordsOf(text)).toThrow('does not end'),
)
