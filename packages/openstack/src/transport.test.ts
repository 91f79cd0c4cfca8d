import { once } from 'node:events'
import { createServer } from 'node:net'
import { PassThrough, Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { Call } from './call.ts'
import { bufferContent, streamContent } from './content.ts'
import { kinds } from './service-kind.ts'
import { imageService } from './services/image.ts'
import { context, json, type SmallCloud, smallCloud } from './testing/small-cloud.ts'

const call = (small: SmallCloud, method: Call['method'], more: Partial<Call> = {}) =>
  small.session().ask(kinds.network, { method, path: '/ports', ...more }, context())

/** The first answers are bad, the next is good. */
const flaky = (times: number, bad: (response: Parameters<typeof json>[0]) => unknown) => {
  const state = { left: times }
  return (_: unknown, response: Parameters<typeof json>[0]) => {
    state.left -= 1
    return state.left >= 0 ? bad(response) : json(response, 200, { ok: true })
  }
}

describe('is made again', () => {
  test.each(['GET', 'POST'] as const)('%s, when there were too many', async (method) => {
    await using small = await smallCloud(flaky(2, (response) => response.writeHead(429, { 'retry-after': '0' }).end()))
    expect((await call(small, method)).attempts).toBe(3)
  })

  test('as late as the service asks', async () => {
    await using small = await smallCloud(flaky(1, (response) => response.writeHead(429, { 'retry-after': '1' }).end()))
    const began = performance.now()
    await call(small, 'POST')
    expect(performance.now() - began).toBeGreaterThan(990)
  })

  test.each(['GET', 'PUT', 'DELETE'] as const)('%s, when the service is away for a moment', async (method) => {
    await using small = await smallCloud(flaky(2, (response) => response.writeHead(503).end()))
    expect((await call(small, method)).status).toBe(200)
  })

  test('GET, when the connection is cut before the answer or within it', async () => {
    await using small = await smallCloud(flaky(1, (response) => response.socket?.destroy()))
    expect((await call(small, 'GET')).attempts).toBe(2)
    const within = flaky(1, (response) => {
      response.writeHead(200, { 'content-length': '1000' })
      response.write('{"half":')
      setTimeout(() => response.socket?.destroy(), 20)
    })
    await using other = await smallCloud(within)
    expect((await call(other, 'GET')).body.toString()).toBe('{"ok":true}')
  })

  test('POST, when nobody was there to take it', async () => {
    const free = createServer().listen(0, '127.0.0.1')
    await once(free, 'listening')
    const { port } = free.address() as { port: number }
    free.close()
    await using small = await smallCloud(() => undefined, { endpoints: { network: `http://127.0.0.1:${port}/v2.0` } })
    await expect(call(small, 'POST')).rejects.toMatchObject({ failure: 'unreachable', status: null })
    const notes = small.notes.filter(({ service }) => service === 'network')
    expect(notes.map(({ attempt, problem }) => [attempt, problem])).toEqual(
      [1, 2, 3, 4].map((n) => [n, 'ECONNREFUSED']),
    )
  })
})

describe('is not made again', () => {
  test('POST, when nobody knows what became of it', async () => {
    await using small = await smallCloud(flaky(1, (response) => response.socket?.destroy()))
    await expect(call(small, 'POST', { json: {} })).rejects.toMatchObject({ failure: 'unreachable' })
    expect(small.calls()).toHaveLength(1)
  })

  test('POST, when it may have been half done', async () => {
    await using small = await smallCloud(flaky(1, (response) => response.writeHead(503).end()))
    await expect(call(small, 'POST')).rejects.toMatchObject({ status: 503 })
  })

  test('what a service refuses, or fails at', async () => {
    await using small = await smallCloud(flaky(1, (response) => response.writeHead(500).end()))
    await expect(call(small, 'GET')).rejects.toMatchObject({ status: 500 })
    expect(small.calls()).toHaveLength(1)
  })

  test('when the service asks for more patience than a person has', async () => {
    await using small = await smallCloud(
      flaky(1, (response) => response.writeHead(503, { 'retry-after': '3600' }).end()),
    )
    await expect(call(small, 'GET')).rejects.toMatchObject({ status: 503 })
  })

  test('without end', async () => {
    await using small = await smallCloud((_, response) => response.writeHead(503).end('{"message": "still away"}'))
    await expect(call(small, 'GET')).rejects.toMatchObject({ status: 503, reason: 'still away' })
    expect(small.calls()).toHaveLength(4)
  })
})

describe('waiting', () => {
  test('has an end', async () => {
    await using small = await smallCloud(() => undefined)
    await expect(call(small, 'GET', { withinMs: 80 })).rejects.toThrow(
      /no usable answer from http:.*: no answer within 0.08 s/,
    )
    expect(small.calls()).toHaveLength(1)
  })

  test('ends with the caller, for an answer and between attempts', async () => {
    await using small = await smallCloud(() => undefined)
    const asking = new AbortController()
    const asked = small.session().ask(kinds.network, { method: 'GET', path: '/x' }, asking)
    setTimeout(() => asking.abort(new Error('enough')), 80)
    await expect(asked).rejects.toThrow('enough')

    await using other = await smallCloud((_, response) => response.writeHead(503, { 'retry-after': '2' }).end())
    const began = performance.now()
    const again = other
      .session()
      .ask(kinds.network, { method: 'GET', path: '/x' }, { signal: AbortSignal.timeout(100) })
    await expect(again).rejects.toMatchObject({ name: 'TimeoutError' })
    expect(performance.now() - began).toBeLessThan(1500)
  })
})

describe('uploads', () => {
  const upload = (small: SmallCloud, content: Parameters<ReturnType<typeof imageService>['upload']>[1]) =>
    imageService(small.session()).upload('i1', content, context())
  const versions = {
    versions: [{ id: 'v2.15', status: 'CURRENT', links: [{ rel: 'self', href: 'http://elsewhere/v2/' }] }],
  }
  const glance = (file: (...args: Parameters<Parameters<typeof smallCloud>[0]>) => unknown) =>
    smallCloud((asked, response, request) =>
      asked.url === '/image/' ? json(response, 300, versions) : file(asked, response, request),
    )

  test('are read no faster than the service takes them', async () => {
    const chunk = Buffer.alloc(64 * 1024)
    const state = { given: 0, received: 0 }
    const total = 1024
    await using small = await glance(async (_asked, response, request) => {
      await sleep(200)
      expect(state.given).toBeLessThan(total / 2)
      for await (const part of request) state.received += (part as Buffer).length
      response.writeHead(204).end()
    })
    const source = Readable.from(
      (function* () {
        for (; state.given < total; state.given += 1) yield chunk
      })(),
    )
    await upload(small, streamContent(source))
    expect(state.received).toBe(total * chunk.length)
  })

  test('are sent once more with a new token, if they can be', async () => {
    const state = { got: '' }
    await using small = await glance(async (asked, response, request) => {
      if (asked.headers['x-auth-token'] !== 'token-2') return json(response, 401, {})
      state.got = (await buffer(request)).toString()
      response.writeHead(204).end()
    })
    await upload(small, bufferContent(Buffer.from('content')))
    expect(state.got).toBe('content')
    expect(small.calls().at(-1)?.headers['content-length']).toBe('7')
    const once = upload(small, streamContent(Readable.from(['content'])))
    await expect(once).rejects.toMatchObject({ status: 401 })
  })

  test('are sent again when there were too many, if they can be', async () => {
    const state = { refusals: 1, got: '' }
    await using small = await glance(async (_, response, request) => {
      state.refusals -= 1
      if (state.refusals >= 0) return response.writeHead(429).end()
      state.got = (await buffer(request)).toString()
      return response.writeHead(204).end()
    })
    await upload(small, bufferContent(Buffer.from('content')))
    expect(state.got).toBe('content')
    Object.assign(state, { refusals: 1, got: '' })
    await expect(upload(small, streamContent(Readable.from(['content'])))).rejects.toMatchObject({ status: 429 })
    expect(state.got).toBe('')
  })

  test('fail with the reason of a service that answers before it has read all', async () => {
    await using small = await glance((_, response) => {
      response
        .writeHead(413, { connection: 'close' })
        .end('{"message": "Denying attempt to upload image because it exceeds the quota"}')
    })
    const source = Readable.from(
      (function* () {
        for (let n = 0; n < 4096; n += 1) yield Buffer.alloc(64 * 1024)
      })(),
    )
    await expect(upload(small, streamContent(source))).rejects.toMatchObject({ status: 413 })
    expect(source.destroyed).toBe(true)
  })

  test('fail with the error of what they read, and cut the connection', async () => {
    const cut = Promise.withResolvers<boolean>()
    await using small = await glance((_, _response, request) => {
      request.resume().once('close', () => cut.resolve(request.complete))
    })
    const source = new PassThrough()
    source.write('beginning')
    const lost = new Error('the disk is gone')
    setTimeout(() => source.destroy(lost), 50)
    await expect(upload(small, streamContent(source))).rejects.toBe(lost)
    expect(await cut.promise).toBe(false)
  })
})

describe('downloads', () => {
  const whole = Buffer.from(Array.from({ length: 300_000 }, (_, at) => at % 251))
  const download = async (small: SmallCloud, signal = new AbortController().signal) => {
    const data = await imageService(small.session()).download('i1', { signal })
    return data ?? Promise.reject(new Error('no data'))
  }
  const glance = (file: Parameters<typeof smallCloud>[0]) => smallCloud(file, { endpoints: {} })
  const isFile = (url: string) => url.endsWith('/file')

  test('go on where they broke off', async () => {
    const ranges: (string | undefined)[] = []
    await using small = await glance((asked, response) => {
      if (!isFile(asked.url)) return response.writeHead(404).end()
      const { range } = asked.headers
      ranges.push(range)
      const from = Number(/bytes=(\d+)-/.exec(range ?? '')?.[1] ?? 0)
      const end = Math.min(whole.length, from + 120_000)
      const total = whole.length
      const part = { 'content-range': `bytes ${from}-${total - 1}/${total}` }
      response.writeHead(range ? 206 : 200, { 'content-length': String(total - from), ...(range && part) })
      response.write(whole.subarray(from, end), () => setTimeout(() => end < total && response.socket?.destroy(), 30))
      if (end === total) response.end()
    })
    const data = await download(small)
    expect(data.bytes).toBe(whole.length)
    expect((await buffer(data.body)).equals(whole)).toBe(true)
    expect(ranges[0]).toBeUndefined()
    expect(ranges.length).toBeGreaterThan(2)
  })

  test('that cannot go on are an error, never half of it', async () => {
    await using small = await glance((asked, response) => {
      if (!isFile(asked.url)) return response.writeHead(404).end()
      response.writeHead(200, { 'content-length': String(whole.length) })
      response.write(whole.subarray(0, 1000), () => setTimeout(() => response.socket?.destroy(), 30))
    })
    const data = await download(small)
    await expect(buffer(data.body)).rejects.toThrow(/\w/)
  })

  test("are told no in the service's words, and know what is empty", async () => {
    const state = { status: 404 }
    await using small = await glance((asked, response) => {
      if (!isFile(asked.url)) return response.writeHead(404).end()
      return response
        .writeHead(state.status)
        .end(state.status === 204 ? '' : '{"message": "No image found with ID i1"}')
    })
    await expect(download(small)).rejects.toMatchObject({ status: 404, reason: 'No image found with ID i1' })
    state.status = 204
    expect(await imageService(small.session()).download('i1', context())).toBeNull()
  })

  test('get a new token, and wait while the service is away', async () => {
    const state = { calls: 0 }
    await using small = await glance((asked, response) => {
      if (!isFile(asked.url)) return response.writeHead(404).end()
      state.calls += 1
      if (asked.headers['x-auth-token'] === 'token-1') return response.writeHead(401).end()
      return state.calls < 4 ? response.writeHead(503).end() : response.writeHead(200).end('content')
    })
    const data = await download(small)
    expect((await buffer(data.body)).toString()).toBe('content')
    expect(state.calls).toBe(4)
  })

  test('end with the caller, and are not read faster than by her', async () => {
    const state = { sent: 0 }
    const ended = Promise.withResolvers<void>()
    await using small = await glance((asked, response) => {
      if (!isFile(asked.url)) return response.writeHead(404).end()
      response.writeHead(200).once('close', ended.resolve)
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(64 * 1024))) state.sent += 1
        response.once('drain', more)
      }
      return more()
    })
    const asking = new AbortController()
    const { body } = await download(small, asking.signal)
    body.once('error', () => undefined)
    await sleep(300)
    expect(state.sent).toBeLessThan(400)
    asking.abort()
    await ended.promise
  })
})
