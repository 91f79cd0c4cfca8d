import { expect, test } from 'vitest'
import { Failure } from './failure.ts'

test.each([
  ['It is gone.', undefined, 'It is gone.'],
  ['It is gone.', 'Look again.', 'It is gone. Look again.'],
  ['getaddrinfo ENOTFOUND example.org', 'Look again.', 'getaddrinfo ENOTFOUND example.org. Look again.'],
])('%j with %j is told as sentences', (message, remedy, said) => {
  expect(new Failure(message, remedy === undefined ? {} : { remedy }).said).toBe(said)
})
