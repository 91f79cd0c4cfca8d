import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { PassThrough, Readable } from 'node:stream'
import { buffer, text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { Fault } from '@gantry/kernel'
import type { ContainerId } from '@gantry/model'
import { afterEach, describe, expect, test } from 'vitest'
import type { AgentCalls, CallArgs } from './calls.ts'
import { fakeHost, hostId, relayBench, until, unreliableLine } from './test-harness.ts'
import { dialTcp } from './dial.ts'

const id = 'c1' as ContainerId
const signal = new AbortController().signal
const execArgs: CallArgs<'exec'> = {
  id,
  command: ['cat'],
  environment: {},
  workdir: null,
  user: null,
  tty: true,
  stdin: true,
}
const logArgs: CallArgs<'logs'> = {
  id,
  stdout: true,
  stderr: true,
  timestamps: false,
  follow: true,
  tail: null,
  since: null,
  until: null,
}
const stat = { name: 'x', size: 1, mode: 0o644, mtime: '', linkTarget: '' }

let bench: Awaited<ReturnType<typeof relayBench>>
afterEach(() => bench.close())

async function withCalls(given: Partial<AgentCalls>): Promise<AgentCalls> {
  bench = await relayBench()
  await bench.agent(fakeHost(given).host)
  return bench.relay.links.calls(hostId)
}

describe('a call', () => {
  test('carries arguments and reply', async () => {
    const calls = await withCalls({
      top: async ({ id, psArgs }) => ({ reply: { titles: [id], processes: [[String(psArgs)]] }, output: null }),
    })
    const { reply, output } = await calls.top({ id, psArgs: '-ef' }, { signal })
    expect(reply).toEqual({ titles: ['c1'], processes: [['-ef']] })
    expect(output).toBeNull()
  })

  test('a thousand at once', async () => {
    const calls = await withCalls({ kill: async () => ({ reply: {}, output: null }) })
    const all = Array.from({ length: 1000 }, () => calls.kill({ id, signal: 'SIGTERM' }, { signal }))
    expect(await Promise.all(all)).toHaveLength(1000)
  })

  test('carries 64 MiB both ways at once, past a slow reader, byte for byte', async () => {
    const calls = await withCalls({ exec: async (_, { input }) => ({ reply: { execId: 'e' }, output: input ?? null }) })
    const block = randomBytes(1024 * 1024)
    let read = 0
    const input = new Readable({
      read() {
        read += 1
        this.push(read <= 64 ? block : null)
      },
    })
    const { output } = await calls.exec(execArgs, { input, signal })
    const hash = createHash('sha256')
    let size = 0
    let mostAhead = 0
    for await (const chunk of output as AsyncIterable<Buffer>) {
      size += chunk.length
      hash.update(chunk)
      mostAhead = Math.max(mostAhead, read * block.length - size)
      if (size < 16 * block.length) await sleep(1)
    }
    const expected = createHash('sha256')
    for (let i = 0; i < 64; i += 1) expected.update(block)
    expect(size).toBe(64 * block.length)
    expect(hash.digest('hex')).toBe(expected.digest('hex'))
    expect(mostAhead).toBeLessThan(24 * 1024 * 1024)
  }, 60_000)

  test('lets output go on after the input was half-closed', async () => {
    const calls = await withCalls({
      exec: async (_, { input }) => {
        const output = new PassThrough()
        void text(input as Readable).then(async (all) => {
          await sleep(30)
          output.end(`got ${all}`)
        })
        return { reply: { execId: 'e' }, output }
      },
    })
    const { output } = await calls.exec(execArgs, { input: Readable.from([Buffer.from('hello')]), signal })
    expect(await text(output as Readable)).toBe('got hello')
  })

  test('that ends before its input lets go of the input and leaves it to its owner', async () => {
    const calls = await withCalls({
      exec: async () => ({ reply: { execId: 'e' }, output: Readable.from([Buffer.from('bye')]) }),
    })
    const input = new PassThrough()
    const { output } = await calls.exec(execArgs, { input, signal })
    expect(await text(output as Readable)).toBe('bye')
    await until(() => input.listenerCount('data') === 0, 'the input is let go')
    expect(input.destroyed).toBe(false)
  })

  test('has no input at the agent if the caller gave none', async () => {
    const inputs: unknown[] = []
    const calls = await withCalls({
      exec: async (_, { input }) => {
        inputs.push(input)
        return { reply: { execId: 'e' }, output: Readable.from([]) }
      },
    })
    const { output } = await calls.exec({ ...execArgs, stdin: false }, { signal })
    expect((await buffer(output as Readable)).length).toBe(0)
    expect(inputs).toEqual([undefined])
  })
})

describe('a call that fails', () => {
  test('rejects with the fault of the agent', async () => {
    const calls = await withCalls({
      imageRemove: async ({ engineRef }) => {
        throw new Fault('image.not-found', { image: engineRef, reason: 'gone' })
      },
    })
    const failed = calls.imageRemove({ engineRef: 'x' }, { signal })
    await expect(failed).rejects.toMatchObject({ name: 'Fault', code: 'image.not-found', details: { image: 'x' } })
  })

  test('shows nothing of an unexpected error but a reference to the log', async () => {
    const calls = await withCalls({
      stats: async () => {
        throw new Error('secret path')
      },
    })
    const failed = await calls.stats({ id }, { signal }).catch((error: unknown) => error)
    expect(failed).toMatchObject({ code: 'internal' })
    expect(String(failed)).not.toContain('secret')
    expect(bench.log.messages.join()).toContain((failed as Fault).details['reference'])
  })

  test('is refused before it is sent if its arguments have the wrong shape', async () => {
    const calls = await withCalls({})
    const bad = { id: 7 } as unknown as { id: ContainerId }
    await expect(calls.stats(bad, { signal })).rejects.toMatchObject({ code: 'request.invalid' })
  })

  test('breaks its output with an error, not an end', async () => {
    const calls = await withCalls({
      logs: async () => {
        const output = new PassThrough()
        output.write('part')
        setTimeout(() => output.destroy(new Error('engine died')), 30)
        return { reply: { framed: false }, output }
      },
    })
    const { output } = await calls.logs(logArgs, { signal })
    await expect(text(output as Readable)).rejects.toMatchObject({ code: 'host.broke-off' })
  })

  test('breaks the input at the agent if the caller breaks it', async () => {
    const ended: unknown[] = []
    const calls = await withCalls({
      archivePut: async (_, { input }) => {
        await buffer(input as Readable).then(
          () => ended.push('whole'),
          () => ended.push('broken'),
        )
        return { reply: {}, output: null }
      },
    })
    const input = new PassThrough()
    input.write('half a tar')
    setTimeout(() => input.destroy(), 30)
    await expect(calls.archivePut({ id, path: '/' }, { input, signal })).rejects.toThrow()
    await until(() => ended.length > 0)
    expect(ended).toEqual(['broken'])
  })
})

describe('a cancelled call', () => {
  test('reaches the handler while it works', async () => {
    const cancelled = Promise.withResolvers<void>()
    const started = Promise.withResolvers<void>()
    const calls = await withCalls({
      imageLook: async (_, io) => {
        started.resolve()
        await once(io.signal, 'abort')
        cancelled.resolve()
        throw io.signal.reason
      },
    })
    const abort = new AbortController()
    const failed = calls.imageLook({ engineRef: 'x' }, { signal: abort.signal })
    failed.catch(() => {})
    await started.promise
    abort.abort(new Error('enough'))
    await expect(failed).rejects.toThrow('enough')
    await cancelled.promise
  })

  test('and an output nobody wants any more both stop the source', async () => {
    const sources: Readable[] = []
    const calls = await withCalls({
      logs: async () => {
        const output = new Readable({
          read() {
            this.push(Buffer.alloc(1000))
          },
        })
        sources.push(output)
        return { reply: { framed: false }, output }
      },
    })
    const abort = new AbortController()
    const first = await calls.logs(logArgs, { signal: abort.signal })
    const second = await calls.logs(logArgs, { signal })
    const failed = buffer(first.output as Readable)
    setTimeout(() => abort.abort(new Error('enough')), 20)
    await expect(failed).rejects.toThrow('enough')
    second.output?.destroy()
    await until(() => sources.every((source) => source.destroyed), 'both sources are closed')
  })
})

describe('a lost session', () => {
  test('fails calls and outputs with host.unreachable, and stops the handlers', async () => {
    bench = await relayBench()
    const line = await unreliableLine(bench.relay.port)
    const stopped: string[] = []
    const { host } = fakeHost({
      stats: async (_, io) => {
        await once(io.signal, 'abort')
        stopped.push('stats')
        throw io.signal.reason
      },
      logs: async () => {
        const output = new PassThrough().on('close', () => stopped.push('logs'))
        output.write('part')
        return { reply: { framed: false }, output }
      },
      archiveGet: async () => ({ reply: stat, output: new PassThrough().on('close', () => stopped.push('archive')) }),
    })
    await bench.agent(host, { dial: dialTcp({ host: '127.0.0.1', port: line.port }) })
    const calls = bench.relay.links.calls(hostId)
    const waiting = calls.stats({ id }, { signal })
    waiting.catch(() => {})
    const logs = await calls.logs(logArgs, { signal })
    const archive = await calls.archiveGet({ id, path: '/' }, { signal })
    line.cut()
    const unreachable = { code: 'host.unreachable' }
    await expect(waiting).rejects.toMatchObject(unreachable)
    await expect(text(logs.output as Readable)).rejects.toMatchObject(unreachable)
    await expect(text(archive.output as Readable)).rejects.toMatchObject(unreachable)
    await expect(calls.stats({ id }, { signal })).rejects.toMatchObject(unreachable)
    await until(() => stopped.length === 3, 'all handlers stopped')
    line.close()
  })

  test('is seen although nobody closed the connection', async () => {
    bench = await relayBench({ keepaliveMs: 50 })
    const line = await unreliableLine(bench.relay.port)
    await bench.agent(fakeHost().host, { dial: dialTcp({ host: '127.0.0.1', port: line.port }), keepaliveMs: 50 })
    const running = bench.relay.links.calls(hostId).stats({ id }, { signal })
    line.freeze()
    await expect(running).rejects.toThrow()
    line.close()
  })
})
