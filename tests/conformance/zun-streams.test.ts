import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { encodeFrame, frameKinds } from '@gantry/wire'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type FakeCloud, fakeCloud } from '../../facades/zun/src/testing/fake-cloud.ts'
import { streamOf } from '../../facades/zun/src/testing/fake-data.ts'
import { oneError } from './zun-errors.ts'

/** Logs, commands and archives: what flows through without being held as a whole. */
let cloud: FakeCloud
beforeEach(async () => {
  cloud = await fakeCloud()
})
afterEach(() => cloud[Symbol.asyncDispose]())

const run = (body: object = {}, version = '1.40') =>
  cloud.ask('POST', '/v1/containers?run=true', { version, body: { image: 'busybox', name: 'test', ...body } })

describe('streams', () => {
  const framed = () =>
    streamOf(
      encodeFrame(frameKinds.stdout, Buffer.from('out "1"\n')),
      encodeFrame(frameKinds.stderr, Buffer.from('err\n')),
    )

  test('logs are one JSON string', async () => {
    await run()
    cloud.control.next.logs = { framed: true, output: framed }
    const answer = await cloud.ask('GET', '/v1/containers/test/logs?stdout=True&tail=5&since=2026-01-02%2003:04:05,500')
    expect(answer.json).toBe('out "1"\nerr\n')
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/)
    const since = Date.UTC(2026, 0, 2, 3, 4, 5, 500) / 1000
    expect(cloud.control.calls.at(-1)?.args[1]).toMatchObject({ tail: 5, since, stderr: true, follow: false })
    cloud.control.next.logs = { framed: false, output: () => streamOf() }
    expect((await cloud.ask('GET', '/v1/containers/test/logs?tail=all&since=1700000000')).text).toBe('""')
  })

  test('execute answers with output and exit code', async () => {
    await run()
    cloud.control.next.exec = () =>
      streamOf(
        encodeFrame(frameKinds.stdout, Buffer.from([0x6f, 0xff])),
        encodeFrame(frameKinds.stderr, Buffer.from('err')),
        encodeFrame(frameKinds.end, Buffer.from('{"exitCode":3}')),
      )
    const { status, json } = await cloud.ask(
      'POST',
      '/v1/containers/test/execute?command=%22ls%22&run=True&interactive=False',
    )
    expect(status).toBe(200)
    expect(json).toEqual({ output: 'o\uFFFDerr', exit_code: 3, exec_id: null, proxy_url: null })
  })

  test('execute cuts endless output with a mark and still tells the exit code', async () => {
    await run()
    const mebibyte = encodeFrame(frameKinds.stdout, Buffer.alloc(1024 * 1024, 0x61))
    cloud.control.next.exec = () =>
      streamOf(
        ...Array.from({ length: 10 }, () => mebibyte),
        encodeFrame(frameKinds.end, Buffer.from('{"exitCode":0}')),
      )
    const { json } = await cloud.ask('POST', '/v1/containers/test/execute?command=yes')
    const { output, exit_code } = json as { output: string; exit_code: number }
    expect(exit_code).toBe(0)
    expect(output.length).toBeLessThan(8.1 * 1024 * 1024)
    expect(output).toMatch(/\[output cut after 8388608 bytes\]\n$/)
  })

  test('a command whose end was never told is an error without details', async () => {
    await run()
    cloud.control.next.exec = framed
    const { status, json, headers } = await cloud.ask('POST', '/v1/containers/test/execute?command=ls')
    expect(status).toBe(500)
    const id = String(headers.get('x-openstack-request-id'))
    expect(json).toEqual(oneError('', 500, { detail: expect.stringContaining(id) }))
  })

  test.each([
    ['POST', 'execute?command=sleep+999', 2],
    ['GET', 'logs', 2],
  ])('%s %s ends when the client goes away', async (method, path, signalAt) => {
    await run()
    const source = new Readable({ read() {} })
    source.push(encodeFrame(frameKinds.stdout, Buffer.from('x')))
    cloud.control.next.exec = () => source
    cloud.control.next.logs = { framed: true, output: () => source }
    const socket = connect(Number(new URL(cloud.origin).port), '127.0.0.1')
    socket.write(
      `${method} /container/v1/containers/test/${path} HTTP/1.1\r\nHost: x\r\nX-Auth-Token: demo\r\nContent-Length: 0\r\n\r\n`,
    )
    await expect.poll(() => cloud.control.calls.at(-1)?.name).toMatch(/exec|logs/)
    const signal = cloud.control.calls.at(-1)?.args[signalAt] as AbortSignal
    expect(signal.aborted).toBe(false)
    socket.destroy()
    await expect.poll(() => signal.aborted).toBe(true)
    await expect.poll(() => source.destroyed).toBe(true)
  })

  test('a client that does not read holds the logs back', async () => {
    await run()
    let made = 0
    const endless = new Readable({
      read() {
        made += 1
        this.push(Buffer.alloc(64 * 1024, 0x61))
      },
    })
    cloud.control.next.logs = { framed: false, output: () => endless }
    const socket = connect(Number(new URL(cloud.origin).port), '127.0.0.1')
    socket.pause()
    socket.write('GET /container/v1/containers/test/logs HTTP/1.1\r\nHost: x\r\nX-Auth-Token: demo\r\n\r\n')
    let before = -1
    await expect
      .poll(() => (made > 0 && made === before) || void (before = made), { interval: 300, timeout: 10_000 })
      .toBe(true)
    expect(made).toBeLessThan(1000)
    socket.destroy()
    await expect.poll(() => endless.destroyed).toBe(true)
  })

  test('archives are base64 from 1.25 and text before', async () => {
    await run()
    const get = (version: string) => cloud.ask('GET', '/v1/containers/test/get_archive?path=/f', { version })
    const stat = { name: 'f', size: 9, mode: 420, mtime: '2026-01-01T00:00:00Z', linkTarget: '' }
    expect((await get('1.25')).json).toEqual({ data: Buffer.from('tar bytes').toString('base64'), stat })
    expect((await get('1.24')).json).toEqual({ data: 'tar bytes', stat })
    const put = async (version: string, data: string) => {
      const answer = await cloud.ask('POST', '/v1/containers/test/put_archive?path=/tmp', { version, body: { data } })
      expect(answer).toMatchObject({ status: 200, text: 'null' })
      return cloud.control.next.uploaded.toString()
    }
    expect(await put('1.25', Buffer.from('a tar').toString('base64'))).toBe('a tar')
    expect(await put('1.24', 'a \0 tar')).toBe('a \0 tar')
    const both = { path: '/tmp', data: 'YQ==' }
    expect((await cloud.ask('POST', '/v1/containers/test/put_archive', { version: '1.40', body: both })).status).toBe(
      200,
    )
    const foul = await cloud.ask('POST', '/v1/containers/test/put_archive?path=/', {
      version: '1.40',
      body: { data: '?' },
    })
    expect(foul.json).toEqual(oneError('schema-validation-error', 400))
  })

  test('an archive may be larger than other bodies, up to 256 MiB', async () => {
    await run()
    const data = Buffer.alloc(6 * 1024 * 1024, 7).toString('base64')
    const answer = await cloud.ask('POST', '/v1/containers/test/put_archive?path=/', {
      version: '1.40',
      body: { data },
    })
    expect(answer.status).toBe(200)
    expect(cloud.control.next.uploaded.length).toBe(6 * 1024 * 1024)
    const socket = connect(Number(new URL(cloud.origin).port), '127.0.0.1')
    socket.write(
      `POST /container/v1/containers/test/put_archive?path=/ HTTP/1.1\r\nHost: x\r\nX-Auth-Token: demo\r\nContent-Type: application/json\r\nContent-Length: ${257 * 1024 * 1024}\r\n\r\n{"data":"`,
    )
    const reply = await new Promise<string>((resolve) => socket.once('data', (chunk) => resolve(String(chunk))))
    expect(reply).toMatch(/^HTTP\/1.1 413 /)
    socket.destroy()
  })
})
