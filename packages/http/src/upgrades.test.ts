import { get, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { FastifyBaseLogger } from 'fastify'
import { expect, test } from 'vitest'
import { createHttpApp } from './app.ts'
import { onUpgrade } from './upgrades.ts'

const quiet = () => undefined
const log = { level: 'silent', fatal: quiet, error: quiet, warn: quiet, info: quiet, debug: quiet, trace: quiet }
const logger: FastifyBaseLogger = { ...log, silent: quiet, child: () => logger } as FastifyBaseLogger

test('only the routes that want an upgrade get it; elsewhere the offer is declined', async () => {
  const app = createHttpApp({ log: logger })
  app.register((scope, _options, done) => {
    onUpgrade(scope, {
      takes: (path) => path === '/raw',
      handle: (_request, socket) => {
        socket.end('HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: raw\r\n\r\n')
      },
      refuse: (_request, socket) => socket.destroy(),
    })
    done()
  })
  app.get('/plain', () => 'plain')
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const ask = (path: string, upgrade: string) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const headers = { connection: 'Upgrade', upgrade }
      const request = get({ host: '127.0.0.1', port, path, headers, agent: false }, resolve)
      request.on('upgrade', (answer) => resolve(answer)).on('error', reject)
    })
  try {
    expect((await ask('/raw?token=x', 'raw')).statusCode).toBe(101)
    expect((await ask('/plain', 'h2c')).resume().statusCode).toBe(200)
    expect((await ask('/nowhere', 'raw')).resume().statusCode).toBe(404)
  } finally {
    await app.close()
  }
})
