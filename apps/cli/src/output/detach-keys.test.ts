import { buffer } from 'node:stream/consumers'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { detachKeys } from './detach-keys.ts'

/** What is handed on, and whether it ended by the keys. */
async function typed(chunks: readonly Buffer[]): Promise<{ keys: string; detached: boolean }> {
  let detached = false
  const stream = detachKeys(() => {
    detached = true
  })
  const read = buffer(stream)
  for (const chunk of chunks) if (!detached) stream.write(chunk)
  if (!detached) stream.end()
  return { keys: (await read).toString('latin1'), detached }
}

test('hands on everything before ctrl-p ctrl-q, however it is cut, and nothing after', async () => {
  const key = fc.constantFrom('a', '\x10', '\x11', '\r')
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(key, { minLength: 1, maxLength: 4 }), { maxLength: 8 }), async (pieces) => {
      const chunks = pieces.map((piece) => Buffer.from(piece.join('')))
      const all = Buffer.concat(chunks).toString('latin1')
      const at = all.indexOf('\x10\x11')
      expect(await typed(chunks)).toEqual({ keys: at < 0 ? all : all.slice(0, at), detached: at >= 0 })
    }),
  )
})
