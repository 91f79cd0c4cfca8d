import { once } from 'node:events'
import type { ClientHttp2Session, ClientHttp2Stream, ServerHttp2Session, ServerHttp2Stream } from 'node:http2'
import { constants } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { buffer, text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import tls from 'node:tls'
import { createRequest } from '@gantry/ca'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { askOver, serveOver } from './http2-session.ts'
import { temporaryCa } from './test-harness.ts'

/**
 * What the whole design of the relay leans on, tried on the Node in use with nothing of ours in between but the settings:
 * HTTP/2 in which the side that dialled out is the server, over one mutually authenticated TLS connection.
 */

type Handler = (stream: ServerHttp2Stream, path: string) => void | Promise<void>

interface Pair {
  readonly asking: ClientHttp2Session
  readonly serving: ServerHttp2Session
  readonly agentSocket: tls.TLSSocket
}

let credentials: { ca: string; server: { cert: string; key: string }; agent: { cert: string; key: string } }
beforeAll(async () => {
  const ca = await temporaryCa()
  const issued = await ca.issueServer(['localhost'])
  const { csr, key } = await createRequest('agent')
  credentials = {
    ca: ca.certificate,
    server: { cert: issued.certificate, key: issued.key },
    agent: { cert: await ca.signAgent(csr, 'host-1'), key },
  }
})

let server: tls.Server
const open = new Set<tls.TLSSocket>()
beforeEach(async () => {
  server = tls.createServer({ ...credentials.server, ca: credentials.ca, requestCert: true, rejectUnauthorized: true })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})
afterEach(async () => {
  for (const socket of open) socket.destroy()
  open.clear()
  server.close()
  await once(server, 'close')
})

async function connect(handler: Handler): Promise<Pair> {
  const accepted = once(server, 'secureConnection') as Promise<[tls.TLSSocket]>
  const { port } = server.address() as AddressInfo
  const agentSocket = tls.connect({
    port,
    host: '127.0.0.1',
    servername: 'localhost',
    ca: credentials.ca,
    ...credentials.agent,
  })
  await once(agentSocket, 'secureConnect')
  const serving = serveOver(agentSocket)
  serving.on('error', () => {})
  serving.on('stream', (stream: ServerHttp2Stream, headers) => {
    stream.on('error', () => {})
    void handler(stream, String(headers[':path']))
  })
  const [relaySocket] = await accepted
  const asking = askOver(relaySocket)
  asking.on('error', () => {})
  open.add(agentSocket).add(relaySocket)
  return { asking, serving, agentSocket }
}

const post = (session: ClientHttp2Session, path: string) => session.request({ ':method': 'POST', ':path': path })
const status = async (stream: ClientHttp2Stream) => {
  const [headers] = (await once(stream, 'response')) as [{ ':status': number }]
  return headers[':status']
}
const echo: Handler = (stream) => {
  stream.respond({ ':status': 200 })
  stream.pipe(stream)
}

describe('reverse HTTP/2 over one outbound mTLS connection', () => {
  test('the relay asks, the agent answers', async () => {
    const { asking } = await connect(echo)
    const stream = post(asking, '/echo')
    stream.end('hello')
    expect(await status(stream)).toBe(200)
    expect(await text(stream)).toBe('hello')
  })

  test('half-close by the relay leaves the answer flowing', async () => {
    const { asking } = await connect(async (stream) => {
      stream.respond({ ':status': 200 })
      const input = await text(stream)
      await sleep(20)
      stream.end(`after the end: ${input}`)
    })
    const stream = post(asking, '/late')
    stream.end('all')
    expect(await text(stream)).toBe('after the end: all')
  })

  test('half-close by the agent leaves the request flowing', async () => {
    const received = Promise.withResolvers<string>()
    const { asking } = await connect((stream) => {
      stream.respond({ ':status': 200 })
      stream.end('done')
      received.resolve(text(stream))
    })
    const stream = post(asking, '/early')
    expect(await text(stream)).toBe('done')
    stream.write('still ')
    await sleep(20)
    stream.end('here')
    expect(await received.promise).toBe('still here')
  })

  test('a reset by the relay reaches the agent, and the session lives on', async () => {
    const code = Promise.withResolvers<number>()
    const { asking } = await connect((stream, path) => {
      if (path === '/echo') return echo(stream, path)
      stream.respond({ ':status': 200 })
      stream.write('started')
      stream.on('close', () => code.resolve(stream.rstCode ?? -1))
    })
    const stream = post(asking, '/endless')
    await once(stream, 'data')
    stream.close(constants.NGHTTP2_CANCEL)
    expect(await code.promise).toBe(constants.NGHTTP2_CANCEL)
    const next = post(asking, '/echo')
    next.end('alive')
    expect(await text(next)).toBe('alive')
  })

  test('destroying a stream with an error is an error at the other end', async () => {
    const { asking } = await connect((stream) => {
      stream.respond({ ':status': 200 })
      stream.write('part')
      setTimeout(() => stream.destroy(new Error('broke off')), 20)
    })
    const stream = post(asking, '/broken')
    await expect(text(stream)).rejects.toThrow()
    expect(stream.rstCode).toBe(constants.NGHTTP2_INTERNAL_ERROR)
  })

  // Found here: after `close(code)`, `session.destroy()` or a lost socket, Node ends the body as if it were whole. So only
  // trailers prove that a body is complete; everything that carries bytes must send and demand them.
  const breaks: Record<string, (stream: ServerHttp2Stream, pair: () => Pair) => void> = {
    'nothing wrong': (stream) => stream.end(),
    'stream.close(INTERNAL_ERROR)': (stream) => stream.close(constants.NGHTTP2_INTERNAL_ERROR),
    'stream.close(CANCEL)': (stream) => stream.close(constants.NGHTTP2_CANCEL),
    'stream.destroy()': (stream) => stream.destroy(),
    'session.destroy() by the agent': (_, pair) => pair().serving.destroy(),
    'session.destroy() by the relay': (_, pair) => pair().asking.destroy(),
    'loss of the socket': (_, pair) => pair().agentSocket.destroy(),
  }
  test.each(Object.entries(breaks))('trailers come with a whole body only: %s', async (name, breakIt) => {
    const pair: Pair = await connect((stream) => {
      stream.respond({ ':status': 200 }, { waitForTrailers: true })
      stream.on('wantTrailers', () => stream.sendTrailers({ complete: '1' }))
      stream.write('part')
      setTimeout(() => breakIt(stream, () => pair), 20)
    })
    const stream = pair.asking.request({ ':method': 'POST', ':path': '/' }, { waitForTrailers: true })
    stream.on('error', () => {})
    let complete = false
    stream.on('trailers', () => {
      complete = true
    })
    stream.resume()
    stream.end()
    stream.on('wantTrailers', () => stream.sendTrailers({}))
    await new Promise((resolve) => stream.on('close', resolve))
    expect(complete).toBe(name === 'nothing wrong')
  })

  test('cancelling thousands of streams does not cost the session', async () => {
    const { asking } = await connect((stream, path) => {
      if (path === '/echo') return echo(stream, path)
      stream.respond({ ':status': 200 })
    })
    for (let round = 0; round < 6; round += 1) {
      const streams = Array.from({ length: 500 }, () => post(asking, '/wait'))
      await Promise.all(streams.map((stream) => once(stream, 'response')))
      for (const stream of streams) stream.close(constants.NGHTTP2_CANCEL)
    }
    const next = post(asking, '/echo')
    next.end('alive')
    expect(await text(next)).toBe('alive')
  })

  test('1,000 streams at once, each with its own bytes', async () => {
    let most = 0
    let now = 0
    const gate = Promise.withResolvers<void>()
    const { asking } = await connect(async (stream) => {
      now += 1
      most = Math.max(most, now)
      if (now === 1000) gate.resolve()
      await gate.promise
      await echo(stream, '')
    })
    const answers = Array.from({ length: 1000 }, async (_, index) => {
      const stream = post(asking, '/echo')
      stream.end(`${index};`.repeat(1000))
      return (await text(stream)) === `${index};`.repeat(1000)
    })
    expect((await Promise.all(answers)).every(Boolean)).toBe(true)
    expect(most).toBe(1000)
  })

  test('slow readers hold a bounded amount each, and nobody else up', async () => {
    const chunk = Buffer.alloc(256 * 1024)
    let sent = 0
    const { asking } = await connect((stream, path) => {
      stream.respond({ ':status': 200 })
      if (path !== '/flood') return void stream.pipe(stream)
      const endless = new Readable({
        read() {
          sent += chunk.length
          this.push(chunk)
        },
      })
      pipeline(endless, stream).catch(() => {})
    })
    const slow = Array.from({ length: 32 }, () => post(asking, '/flood'))
    await Promise.all(slow.map((stream) => once(stream, 'response')))
    // Until it stands still, however busy the machine is; a flood without bound never does.
    let held = -1
    while (held !== sent) {
      held = sent
      await sleep(500)
    }
    // Thirty-two stalled streams ask for twice the connection's window: it must not be what stops the others.
    expect(held).toBeLessThan(32 * 2 * 1024 * 1024)
    expect(held).toBeGreaterThan(32 * 768 * 1024)
    const quick = post(asking, '/echo')
    const payload = Buffer.alloc(32 * 1024 * 1024, 7)
    quick.end(payload)
    expect((await buffer(quick)).equals(payload)).toBe(true)
    expect(sent).toBe(held)
  })

  test('losing the connection ends every stream at both ends', async () => {
    const closed = Promise.withResolvers<void>()
    const { asking, agentSocket } = await connect((stream) => {
      stream.respond({ ':status': 200 })
      stream.write('part')
      stream.resume()
      stream.on('close', closed.resolve)
    })
    const stream = post(asking, '/cut')
    stream.resume()
    await once(stream, 'data')
    agentSocket.destroy()
    await Promise.all([closed.promise, once(stream, 'close'), once(asking, 'close')])
    expect(stream.rstCode).toBe(constants.NGHTTP2_CANCEL)
    expect(asking.destroyed).toBe(true)
  })

  test('the agent dials again and the same works on the new connection', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { asking, agentSocket } = await connect(echo)
      const stream = post(asking, '/echo')
      stream.end(`round ${round}`)
      expect(await text(stream)).toBe(`round ${round}`)
      const gone = once(asking, 'close')
      agentSocket.destroy()
      await gone
    }
  })

  test('a ping is answered', async () => {
    const { asking } = await connect(echo)
    await once(asking, 'remoteSettings')
    const { promise, resolve, reject } = Promise.withResolvers<number>()
    asking.ping((error, duration) => (error ? reject(error) : resolve(duration)))
    expect(await promise).toBeGreaterThanOrEqual(0)
  })
})
