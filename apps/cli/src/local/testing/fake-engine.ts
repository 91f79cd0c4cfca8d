import { createServer } from 'node:http'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** An engine that answers `/version` and has every image. */
export async function fakeEngine(): Promise<AsyncDisposable & { socket: string }> {
  const folder = await temporary()
  const socket = join(folder.path, 'docker.sock')
  const server = createServer((_, response) =>
    response.end(JSON.stringify({ Version: '1.2.3', Components: [{ Name: 'Engine' }] })),
  )
  await new Promise<void>((done) => server.listen(socket, done))
  return {
    socket,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
      await folder[Symbol.asyncDispose]()
    },
  }
}

export async function temporary(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'gl-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}
