import pino from 'pino'
import { expect, test } from 'vitest'
import { createHttpApp, nothingElse } from './app.ts'

const app = () => {
  const made = createHttpApp({ log: pino({ level: 'silent' }) })
  nothingElse(made)
  return made
}

test('a path that no router can read, and one that nothing serves, are told in a shape every client reads', async () => {
  for (const [url, status] of [
    ['/container/v1/containers/%zz', 400],
    ['/nowhere', 404],
  ] as const) {
    const answer = await app().inject({ method: 'GET', url })
    expect(answer.statusCode).toBe(status)
    expect(answer.json()).toEqual({
      error: { code: status, title: expect.stringMatching(/\w/), message: expect.stringMatching(/\w/) },
    })
  }
})
