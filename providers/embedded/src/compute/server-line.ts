import { once } from 'node:events'
import { createServer, connect, type Socket } from 'node:net'

/** Lets instances reach a port that listens on the loopback interface alone, at an address that only they and this machine have. */
export async function serverLine(
  listen: { readonly host: string; readonly port: number },
  to: number,
): Promise<AsyncDisposable> {
  const open = new Set<Socket>()
  const server = createServer((inside) => {
    const outside = connect(to, '127.0.0.1')
    for (const [one, other] of [
      [inside, outside],
      [outside, inside],
    ] as const) {
      open.add(one)
      one.setNoDelay(true)
      one.on('error', () => other.destroy())
      one.on('close', () => {
        open.delete(one)
        other.destroy()
      })
      one.pipe(other)
    }
  })
  server.listen(listen.port, listen.host)
  await once(server, 'listening')
  return {
    async [Symbol.asyncDispose]() {
      server.close()
      for (const socket of open) socket.destroy()
    },
  }
}
