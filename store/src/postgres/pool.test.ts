import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { postgresPool } from './pool.ts'

/** A PostgreSQL that lets nobody in. */
async function refusing(code: string, text: string): Promise<string> {
  const fields = `SFATAL\0VFATAL\0C${code}\0M${text}\0\0`
  const answer = Buffer.concat([Buffer.from('E'), Buffer.alloc(4), Buffer.from(fields)])
  answer.writeUInt32BE(answer.length - 1, 1)
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => socket.end(answer))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return `postgres://u@127.0.0.1:${(server.address() as AddressInfo).port}/db`
}

test.each([
  ['XX000', 'could not write init file', 'store.unavailable'],
  ['57P03', 'the database system is starting up', 'store.unavailable'],
  ['28P01', 'password authentication failed', '28P01'],
])('of a database that refuses a connection with %s (%s) one hears %s', async (code, text, heard) => {
  const pool = postgresPool({ url: await refusing(code, text) })
  onTestFinished(() => pool.end())
  await expect(pool.connect()).rejects.toMatchObject({ code: heard })
})
