import { createServer } from 'node:net'

/** Below those that Linux gives out by itself, so that nobody is given it before it is used. */
const lowest = 20_000
const count = 12_000

/** A port of the loopback interface, for what has to be named before it listens. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = lowest + Math.floor(Math.random() * count)
    if (await isFree(port)) return port
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
