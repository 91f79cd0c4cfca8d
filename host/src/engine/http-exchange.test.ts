import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { Agent, createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { exchange } from './http-exchange.ts'

test('a patience beyond what a timer can count is not none at all', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'exchange-'))
  const socketPath = join(folder, 's')
  const server = createServer((_request, response) => void sleep(100).then(() => response.end('late')))
  server.listen(socketPath)
  await once(server, 'listening')
  const agent = new Agent()
  try {
    const answer = await exchange({
      socketPath,
      agent,
      method: 'POST',
      path: '/containers/x/stop',
      body: undefined,
      signal: undefined,
      // What a stop with the longest grace that the API takes comes to.
      answerWithinMs: (2 ** 31 - 1 + 120) * 1000,
    })
    expect(answer.statusCode).toBe(200)
    answer.resume()
    await once(answer, 'end')
  } finally {
    agent.destroy()
    server.close()
    await rm(folder, { recursive: true })
  }
})
