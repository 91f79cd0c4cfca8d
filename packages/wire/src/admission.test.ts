import { once } from 'node:events'
import net, { type AddressInfo } from 'node:net'
import { afterEach, expect, test, vi } from 'vitest'
import { type Admission, type AdmissionOptions, admission } from './admission.ts'

afterEach(async () => {
  for (const end of ends.splice(0)) end()
})
const ends: (() => void)[] = []

/** A door that notes who was let in, by the order in which they came. */
async function door(options: Partial<AdmissionOptions> = {}) {
  const inside: number[] = []
  const sockets: net.Socket[] = []
  const coming: Admission = admission({
    begin: (socket) => void inside.push(sockets.indexOf(socket)),
    atOnce: 2,
    slowMs: 60_000,
    patienceMs: () => 60_000,
    ...options,
  })
  const server = net.createServer({ pauseOnConnect: true }, (socket) => {
    sockets.push(socket)
    coming.offer(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const come = async (count: number) => {
    const clients: net.Socket[] = []
    for (let number = 0; number < count; number += 1) {
      const client = net.connect({ port, host: '127.0.0.1' }).on('error', () => undefined)
      const before = sockets.length
      await vi.waitUntil(() => sockets.length > before)
      clients.push(client)
    }
    return clients
  }
  ends.push(() => {
    coming.close()
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { inside, sockets, coming, come }
}

test('so many are on their way in at a time, the others in the order in which they came', async () => {
  const { inside, sockets, coming, come } = await door()
  await come(5)
  expect(inside).toEqual([0, 1])
  coming.settle(sockets[1] as net.Socket)
  expect(inside).toEqual([0, 1, 2])
  // It gave its place away already.
  coming.settle(sockets[1] as net.Socket)
  expect(inside).toEqual([0, 1, 2])
})

test('one that is closed, or takes long, keeps nobody waiting', async () => {
  const { inside, sockets, come } = await door({ slowMs: 300 })
  await come(4)
  sockets[0]?.destroy()
  await vi.waitUntil(() => inside.length === 3, { timeout: 250 })
  await vi.waitUntil(() => inside.length === 4, { timeout: 5000 })
  expect(sockets[1]?.destroyed).toBe(false)
})

test('one that has waited for too long is not begun with', async () => {
  const { inside, sockets, coming, come } = await door({ patienceMs: () => 50 })
  const clients = await come(4)
  const left = once(clients[2] as net.Socket, 'close')
  await new Promise((resolve) => setTimeout(resolve, 100))
  clients[2]?.resume()
  coming.settle(sockets[0] as net.Socket)
  await left
  expect(inside).toEqual([0, 1])
  // There is room again for who comes now.
  await come(1)
  expect(inside).toEqual([0, 1, 4])
})
