import { PassThrough, Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { type Assignment } from '@gantry/model'
import { type CallArgs, type CallName, type CallResult, FrameDecoder, type Frame } from '@gantry/wire'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadBusybox, startEngine, type TestEngine } from '../fixtures/engine.ts'
import { anAssignment, type HostBench, startHost } from '../fixtures/host-bench.ts'

let engine: TestEngine
let bench: HostBench
let box: Assignment

const never = new AbortController().signal
const call = <K extends CallName>(
  name: K,
  args: CallArgs<K>,
  input?: Readable,
  signal = never,
): Promise<CallResult<K>> => bench.host.calls[name](args, { signal, ...(input && { input }) })

beforeAll(async () => {
  engine = await startEngine()
  await loadBusybox(engine.socket)
  bench = startHost(engine)
  box = anAssignment({
    command: ['sh', '-c', 'echo out; sleep 0.2; echo err >&2; trap exit TERM; while :; do sleep 1; done'],
  })
  bench.assign(box)
  await bench.settled(box)
})
afterAll(async () => {
  await bench.close()
  await engine.stop()
})

/** What came on each stream, and the exit code. */
async function frames(output: Readable | null): Promise<{ out: string; err: string; exitCode?: number }> {
  const seen = { out: '', err: '' }
  let end = {}
  for await (const { kind, payload } of (output ?? Readable.from([])).pipe(
    new FrameDecoder(),
  ) as AsyncIterable<Frame>) {
    if (kind === 1) seen.out += payload.toString()
    if (kind === 2) seen.err += payload.toString()
    if (kind === 3) end = JSON.parse(payload.toString())
  }
  return { ...seen, ...end }
}

const command = (...argv: string[]) => ({
  id: box.id,
  command: argv,
  environment: {},
  workdir: null,
  user: null,
  tty: false,
  stdin: false,
})
const allLogs = { stdout: true, stderr: true, timestamps: false, follow: false, tail: null, since: null, until: null }

describe('exec', () => {
  test('keeps both streams apart and ends with the exit code', async () => {
    const { output } = await call('exec', command('sh', '-c', 'echo a; echo b >&2; exit 7'))
    expect(await frames(output)).toEqual({ out: 'a\n', err: 'b\n', exitCode: 7 })
  })

  test('feeds stdin to its end', async () => {
    const input = Readable.from([Buffer.from('one\n'), Buffer.alloc(300_000, 'x'), Buffer.from('\ntwo\n')])
    const { output } = await call('exec', { ...command('sh', '-c', 'wc -c; exit 7'), stdin: true }, input)
    expect(await frames(output)).toEqual({ out: '300009\n', err: '', exitCode: 7 })
  })

  test('passes environment, user and folder', async () => {
    const args = {
      ...command('sh', '-c', 'echo $A; id -u; pwd'),
      environment: { A: 'b c' },
      user: 'nobody',
      workdir: '/tmp',
    }
    expect((await frames((await call('exec', args)).output)).out).toBe('b c\n65534\n/tmp\n')
  })

  test('of an unknown program ends with 126 or 127', async () => {
    const { output } = await call('exec', command('no-such-program'))
    const { exitCode, out } = await frames(output)
    expect([126, 127]).toContain(exitCode)
    expect(out).toContain('no-such-program')
  })

  test('with a terminal comes as frames, and can be resized', async () => {
    const input = new PassThrough()
    const { output, reply } = await call('exec', { ...command('sh'), tty: true, stdin: true }, input)
    await expect
      .poll(() => call('execResize', { id: box.id, execId: reply.execId, rows: 33, columns: 99 }))
      .toBeTruthy()
    input.write('stty size; exit 5\n')
    const { out, exitCode } = await frames(output)
    expect(out).toContain('33 99')
    expect(exitCode).toBe(5)
    await expect(call('execResize', { id: box.id, execId: reply.execId, rows: 1, columns: 1 })).rejects.toMatchObject({
      code: 'container.exec-not-found',
    })
  })

  test('waits for a command that closed its output', async () => {
    const { output } = await call('exec', command('sh', '-c', 'exec >&- 2>&-; sleep 1; exit 9'))
    expect(await frames(output)).toEqual({ out: '', err: '', exitCode: 9 })
  })

  test('leaves no process behind when its caller goes', async () => {
    const caller = new AbortController()
    const { output } = await call('exec', command('sleep', '4242'), undefined, caller.signal)
    output?.on('error', () => undefined)
    await expect.poll(() => engine.docker('top', `gantry-${box.id}`)).toContain('sleep 4242')
    caller.abort(new Error('gone'))
    await expect.poll(() => engine.docker('top', `gantry-${box.id}`)).not.toContain('sleep 4242')
  })

  test('leaves none behind either when its caller goes before it has begun', async () => {
    const callers = Array.from({ length: 12 }, () => new AbortController())
    const calls = callers.map(async ({ signal }) => {
      const { output } = await call('exec', command('sleep', '4343'), undefined, signal)
      output?.on('error', () => undefined)
    })
    const settled = Promise.allSettled(calls)
    // Some are being made, some are starting.
    for (const caller of callers) {
      await new Promise((resolve) => setTimeout(resolve, 15))
      caller.abort(new Error('gone'))
    }
    await settled
    // Until the engine has begun all that it will.
    await new Promise((resolve) => setTimeout(resolve, 2000))
    await expect.poll(() => engine.docker('top', `gantry-${box.id}`), { timeout: 20_000 }).not.toContain('sleep 4343')
  })
})

describe('the rest', () => {
  test('logs come framed', async () => {
    await expect.poll(() => engine.docker('logs', `gantry-${box.id}`)).toContain('out')
    const { reply, output } = await call('logs', { id: box.id, ...allLogs })
    expect(reply).toEqual({ framed: true })
    expect(await frames(output)).toEqual({ out: 'out\n', err: 'err\n' })
    const errors = await call('logs', { id: box.id, ...allLogs, stdout: false, timestamps: true, tail: 1 })
    expect((await frames(errors.output)).err).toMatch(/^\d{4}-\d\d-\d\dT\S+Z err\n$/)
  })

  test('following logs ends with the caller', async () => {
    const caller = new AbortController()
    const { output } = await call('logs', { id: box.id, ...allLogs, follow: true }, undefined, caller.signal)
    const first = await new Promise((resolve) => output?.once('data', resolve))
    expect(String(first)).toContain('out')
    const closed = new Promise((resolve) => output?.once('close', resolve).on('error', () => undefined))
    caller.abort(new Error('gone'))
    await closed
  })

  test('archives go in and come out', async () => {
    const { output } = await call('archiveGet', { id: box.id, path: '/etc/passwd' })
    const tar = await buffer(output ?? Readable.from([]))
    expect(tar.subarray(0, 6).toString()).toBe('passwd')
    await call('archivePut', { id: box.id, path: '/tmp' }, Readable.from([tar]))
    expect((await frames((await call('exec', command('cat', '/tmp/passwd'))).output)).out).toContain('root:x:0:0')
    const { reply } = await call('archiveGet', { id: box.id, path: '/tmp/passwd' })
    expect(reply).toMatchObject({ name: 'passwd', size: tar.subarray(512).toString().indexOf('\0') })
    const missing = { code: 'container.path-not-found' }
    await expect(call('archiveGet', { id: box.id, path: '/nowhere' })).rejects.toMatchObject(missing)
    await expect(call('archivePut', { id: box.id, path: '/nowhere' }, Readable.from([tar]))).rejects.toMatchObject(
      missing,
    )
    await expect(call('archivePut', { id: box.id, path: '/tmp' }, Readable.from(['no tar']))).rejects.toMatchObject({
      code: 'request.invalid',
    })
  })

  test('stats, top and kill', async () => {
    const { reply } = await call('stats', { id: box.id })
    expect(reply.memoryLimit).toBe(64 * 1024 * 1024)
    expect(reply.memoryUsed).toBeGreaterThan(0)
    expect(reply.pids).toBeGreaterThan(0)
    const { reply: top } = await call('top', { id: box.id, psArgs: null })
    expect(top.titles).toContain('PID')
    expect(top.processes.length).toBeGreaterThan(0)
    await call('kill', { id: box.id, signal: 'SIGHUP' }).catch(() => undefined)
  })

  test('commit makes an image that can be seen, run and removed', async () => {
    const target = anAssignment()
    bench.assign(target)
    await bench.settled(target)
    const { reply } = await call('commit', { id: target.id, engineRef: 'made/of-it:v1' })
    expect(reply.imageId).toMatch(/^sha256:/)
    expect(reply.size).toBeGreaterThan(1_000_000)
    const { reply: seen } = await call('imageLook', { engineRef: 'made/of-it:v1' })
    expect({ imageId: seen.imageId, size: seen.size }).toEqual(reply)
    const meddled = bench.messages.some((m) => m.kind === 'step' && m.id === target.id && m.step === 'unpause')
    expect(meddled).toBe(false)
    const child = anAssignment({ image: 'of-it' }, { imageRef: reply.imageId })
    bench.assign(child)
    expect((await bench.settled(child)).engine?.imageDigest).toBe(reply.imageId)
    await expect(call('imageRemove', { engineRef: 'made/of-it:v1' })).rejects.toMatchObject({ code: 'image.in-use' })
    await expect(call('imageRemove', { engineRef: 'not/there:1' })).rejects.toMatchObject({ code: 'image.not-found' })
  })

  test('what is not ours is not found', async () => {
    const foreign = anAssignment()
    await engine.docker('run', '-d', '--network=none', '--name', `gantry-${foreign.id}`, 'busybox', 'sleep', '1000')
    await expect(call('top', { id: foreign.id, psArgs: null })).rejects.toMatchObject({ code: 'container.no-host' })
    await expect(call('exec', { ...command('true'), id: foreign.id })).rejects.toMatchObject({
      code: 'container.no-host',
    })
  })

  test('a stopped container says so', async () => {
    const ended = anAssignment({ command: ['true'] })
    bench.assign(ended)
    await bench.settled(ended, (o) => o.engine?.state === 'exited')
    await expect(call('exec', { ...command('true'), id: ended.id })).rejects.toMatchObject({ code: 'container.state' })
    await expect(call('kill', { id: ended.id, signal: 'SIGKILL' })).rejects.toMatchObject({ code: 'container.state' })
  })
})
