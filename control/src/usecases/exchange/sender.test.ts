import { systemClock } from '@gantry/kernel'
import type { ImageId } from '@gantry/model'
import { expect, test, vi } from 'vitest'
import type { Cluster } from '../../ports/cluster.ts'
import type { ExchangedImage } from '../../ports/exchanged-image-table.ts'
import type { Tables } from '../../ports/store.ts'
import { unfaked } from '../../testing/unfaked.ts'
import type { ExchangeParts } from './exchange-parts.ts'
import { createSender } from './sender.ts'

/** Two servers with the same rows; looking for the image of a row whose id begins with `slow` does not end before it is let. */
function aCloud() {
  const held = new Set<string>()
  const rows = new Map<ImageId, ExchangedImage>()
  const slow = Promise.withResolvers<void>()
  const ifFree = async (name: string, work: () => Promise<void>) => {
    if (held.has(name)) return false
    held.add(name)
    await work().finally(() => held.delete(name))
    return true
  }
  const cluster: Pick<Cluster, 'inTurn' | 'ifFree'> = { ...unfaked<Cluster>('cluster'), ifFree }
  const exchangedImages = {
    due: async () => [...rows.values()],
    get: async (id: ImageId) => rows.get(id),
    remove: async (id: ImageId) => void rows.delete(id),
  }
  const images = {
    async get(id: ImageId) {
      if (id.startsWith('slow')) await slow.promise
      return undefined
    },
  }
  const tables = { exchangedImages, images } as unknown as Tables
  const store = { ...tables, transaction: <T>(work: (tables: Tables) => Promise<T>) => work(tables) }
  const log = { info() {}, warn() {}, error() {} }
  const exchange = { own: { remove: async () => undefined } }
  const parts = { store, cluster, exchange, log, clock: systemClock } as unknown as ExchangeParts
  const add = (id: string) => rows.set(id as ImageId, { id, state: 'due', origin: 'made' } as ExchangedImage)
  return { rows, slow, add, held, servers: [createSender(parts), createSender(parts)] as const }
}

test('images that one server takes long to send hold up none of another’s', async () => {
  const { rows, slow, add, held, servers } = aCloud()
  const [one, two] = servers
  for (const id of ['slow-1', 'slow-2']) add(id)
  await one.look()
  await vi.waitFor(() => expect(held.size).toBe(2))
  add('quick')
  await two.look()
  await vi.waitFor(() => expect([...rows.keys()]).toEqual(['slow-1', 'slow-2']))
  slow.resolve()
  await vi.waitFor(() => expect(rows.size).toBe(0))
  await Promise.all(servers.map((each) => each[Symbol.asyncDispose]()))
})
