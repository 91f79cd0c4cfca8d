import { expect, test } from 'vitest'
import type { Engine } from '../engine/engine.ts'
import type { EngineEvent } from '../engine/engine-types.ts'
import { engineLink } from './engine-link.ts'

test('a look at the engine that fails leaves no event stream open behind it', async () => {
  let open = 0
  let tries = 0
  const closing = new AbortController()
  const engine = {
    events: async (_label: string, signal: AbortSignal): Promise<AsyncIterable<EngineEvent>> => {
      open += 1
      signal.addEventListener('abort', () => {
        open -= 1
      })
      const next = async (): Promise<IteratorResult<EngineEvent>> => {
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
        return { done: true, value: undefined }
      }
      return { [Symbol.asyncIterator]: () => ({ next }) }
    },
  } as unknown as Engine
  const link = engineLink(
    {
      engine,
      label: 'a=b',
      onEvent: () => {},
      onDown: () => {},
      onUp: async () => {
        tries += 1
        if (tries < 4) throw new Error('half awake')
      },
    },
    closing.signal,
  )
  await link.whenUp(closing.signal)
  expect(open).toBe(1)
  closing.abort()
  expect(open).toBe(0)
})
