import type { ContainerId, HostId } from '@gantry/model'
import type { ServerId } from '@gantry/control'
import { expect, test } from 'vitest'
import type { Ask } from './cluster-line.ts'
import { noteSender } from './cluster-notes.ts'

test('a note that could not be sent is sent later, on the same connection', async () => {
  const sender = noteSender('one' as ServerId, 'gantry')
  const sent = Promise.withResolvers<unknown>()
  let tries = 0
  const ask: Ask = async (_, values = []) => {
    tries += 1
    if (tries === 1) throw new Error('No space left on device')
    sent.resolve(values[0])
    return { command: 'SELECT', rowCount: 0, oid: 0, fields: [], rows: [] }
  }
  sender.use(ask)
  sender.send({ kind: 'wish', id: 'c' as ContainerId, hostId: 'h' as HostId, rewired: false })
  expect(String(await sent.promise)).toContain('"id":"c"')
})

test('at the end nobody waits for a connection on which nothing can be sent', async () => {
  const sender = noteSender('one' as ServerId, 'gantry')
  sender.use(() => Promise.reject(new Error('No space left on device')))
  sender.say({ changed: true })
  await sender.flush()
})
