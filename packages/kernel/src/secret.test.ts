import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { Secret } from './secret.ts'

test('a secret is told to who asks for it by name, and to nobody else', () => {
  const secret = new Secret('hunter2')
  expect(secret.reveal()).toBe('hunter2')
  const shown = [
    inspect({ secret }),
    JSON.stringify({ secret }),
    String(secret),
    JSON.stringify(Object.assign({}, secret)),
  ]
  for (const text of shown) expect(text).not.toContain('hunter2')
})
