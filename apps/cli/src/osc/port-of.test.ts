import { expect, test } from 'vitest'
import { portOf } from './port-of.ts'

test.each([
  ['pub:222:22', { inside: '22/tcp', outside: '222' }],
  ['222:22', { inside: '22/tcp', outside: '222' }],
  ['pub::53/udp', { inside: '53/udp', outside: '' }],
  ['22', { inside: '22/tcp', outside: '' }],
])('%s', (text, port) => expect(portOf(text)).toEqual(port))

test.each(['', 'pub', 'pub:', 'a:1', '1:2:3', '0', '1:70000', '70000:1', 'priv:1:2', '1:2/icmp'])(
  '%s is refused',
  (text) => expect(() => portOf(text)).toThrow('pub:222:22'),
)
