import pino from 'pino'
import { expect, test } from 'vitest'
import { createHttpApp } from './app.ts'

const app = () => createHttpApp({ log: pino({ level: 'silent' }) })

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
