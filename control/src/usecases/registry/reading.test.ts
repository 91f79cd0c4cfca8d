import { Readable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import type { Deps } from '../../deps.ts'
import { readingOf } from './reading.ts'
import { blindness } from './sight.ts'

test('a client that goes while its blob is being opened ends no process', async () => {
  const unheard: unknown[] = []
  const hear = (error: unknown) => void unheard.push(error)
  process.on('uncaughtException', hear)
  onTestFinished(() => void process.off('uncaughtException', hear))
  const client = new AbortController()
  const body = Readable.from(['content'])
  const openBlob = async () => {
    client.abort(new Error('the client closed the connection'))
    return { body, size: 7 }
  }
  const deps = { store: {}, blobs: { stat: async () => ({ size: 7 }) }, catalogue: { openBlob } }
  const reading = readingOf(deps as unknown as Pick<Deps, 'store' | 'blobs' | 'catalogue'>, 'p/repo', {
    ...blindness,
    hasBlob: async () => true,
  })
  const opened = await reading.openBlob(`sha256:${'a'.repeat(64)}`, null, client.signal)
  await setImmediate()
  expect(opened.body.destroyed).toBe(true)
  expect(unheard).toEqual([])
})
