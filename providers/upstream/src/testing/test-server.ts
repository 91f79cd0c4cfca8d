import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Digest } from '@gantry/model'

export interface TestServer extends AsyncDisposable {
  /** `127.0.0.1:port`. */
  readonly domain: string
  readonly url: string
  /** What came: `GET /v2/a/manifests/b` and what `Authorization` said, or `-`. */
  readonly asked: string[]
}

export type Answering = (request: IncomingMessage, response: ServerResponse, body: Buffer) => void

/** An HTTP server on the loopback interface that answers as the test says. */
export async function testServer(answer: Answering): Promise<TestServer> {
  const asked: string[] = []
  const server: Server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.authorization ?? '-'}`)
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => answer(request, response, Buffer.concat(parts)))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    domain: `127.0.0.1:${port}`,
    url: `http://127.0.0.1:${port}`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
) {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}

/** A registry's way to say no. */
export function sendError(
  response: ServerResponse,
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
) {
  sendJson(response, status, { errors: [{ code, message }] }, headers)
}

export function digestOf(content: Buffer): Digest {
  return `sha256:${createHash('sha256').update(content).digest('hex')}` as Digest
}

export const ociManifest = 'application/vnd.oci.image.manifest.v1+json'

export function sendManifest(response: ServerResponse, content: Buffer) {
  response.writeHead(200, { 'content-type': ociManifest, 'docker-content-digest': digestOf(content) }).end(content)
}
