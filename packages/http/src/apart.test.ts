import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { setImmediate as soon } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { apart } from './apart.ts'

test('bytes come as they are', async () => {
  const own = apart(Readable.from([Buffer.from('one '), Buffer.from('two')], { objectMode: false }))
  expect((await buffer(own)).toString()).toBe('one two')
})

test('a client that is gone before anybody reads is an error of who reads, and of nobody else', async () => {
  const body = new Readable({ read: () => undefined })
  const own = apart(body)
  body.push('beginning')
  await soon()
  body.destroy()
  await soon()
  await expect(buffer(own)).rejects.toThrow('the client closed the connection')
})
