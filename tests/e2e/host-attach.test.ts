import { PassThrough, type Readable } from 'node:stream'
import type { Assignment, ContainerId, ContainerSpec } from '@gantry/model'
import { type CallArgs, type CallName, type CallResult, type Frame, FrameDecoder } from '@gantry/wire'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadBusybox, startEngine, type TestEngine } from '../fixtures/engine.ts'
import { anAssignment, type HostBench, startHost } from '../fixtures/host-bench.ts'
import { startPodman } from '../fixtures/podman.ts'

/** The interactive calls of a host on real engines: attach, and commands made ready first and started later. */
let engine: TestEngine
let bench: HostBench

const never = new AbortController().signal
const call = <K extends CallName>(
  name: K,
  args: CallArgs<K>,
  input?: Readable,
  signal = never,
): Promise<CallResult<K>> => bench.host.calls[name](args, { signal, ...(input && { input }) })

async function running(spec: Partial<ContainerSpec>): Promise<ContainerId> {
  const assignment: Assignment = anAssignment({ interactive: true, ...spec })
  bench.assign(assignment)
  await bench.settled(assignment, (o) => o.engine?.state === 'running')
  return assignment.id
}

/** What a stream has said so far, and waiting for it to say more. */
function listen(output: Readable | null, framed: boolean) {
  if (!output) throw new Error('no output')
  const heard = { out: '', err: '', exitCode: undefined as number | undefined, ended: false }
  const text = framed ? output.pipe(new FrameDecoder()) : output
  output.on('error', () => undefined)
  output.on('close', () => {
    heard.ended = true
  })
  text.on('data', (data: Frame | Buffer) => {
    if (Buffer.isBuffer(data)) heard.out += data.toString()
    else if (data.kind === 1) heard.out += data.payload.toString()
    else if (data.kind === 2) heard.err += data.payload.toString()
    else heard.exitCode = (JSON.parse(data.payload.toString()) as { exitCode: number }).exitCode
  })
  return heard
}

async function attach(id: ContainerId, options: { history?: boolean; signal?: AbortSignal } = {}) {
  const input = new PassThrough()
  const args = { id, stdin: true, history: options.history ?? false }
  const { reply, output } = await call('attach', args, input, options.signal)
  return { input, output, heard: listen(output, reply.framed), framed: reply.framed }
}

const engines = { docker: startEngine, podman: startPodman } as const

describe.each(['docker', 'podman'] as const)('on %s', (kind) => {
  beforeAll(async () => {
    engine = await engines[kind]()
    await loadBusybox(engine.socket)
    bench = startHost(engine)
  })
  afterAll(async () => {
    await bench.close()
    await engine.stop()
  })

  describe('attach', () => {
    test('several callers see the same terminal, and one that goes takes nothing with it', async () => {
      const id = await running({ command: ['sh'], tty: true })
      const leaving = new AbortController()
      const one = await attach(id, { signal: leaving.signal })
      const two = await attach(id)
      expect(one.framed).toBe(false)
      one.input.write('echo $((20+1))\n')
      await expect.poll(() => one.heard.out).toContain('\r\n21\r\n')
      await expect.poll(() => two.heard.out).toContain('\r\n21\r\n')
      leaving.abort(new Error('gone'))
      await expect.poll(() => one.heard.ended).toBe(true)
      two.input.write('echo $((40+2))\n')
      await expect.poll(() => two.heard.out).toContain('\r\n42\r\n')
      await call('ttyResize', { id, rows: 31, columns: 97 })
      two.input.write('stty size\n')
      await expect.poll(() => two.heard.out).toContain('31 97')
      two.input.write('exit\n')
      await expect.poll(() => two.heard.ended).toBe(true)
    })

    test('keeps both streams apart without a terminal, and tells what was before when asked', async () => {
      const id = await running({
        command: ['sh', '-c', 'echo early; while read line; do echo "$line"; echo e >&2; done'],
      })
      await expect.poll(() => engine.docker('logs', `gantry-${id}`)).toContain('early')
      const late = await attach(id)
      const told = await attach(id, { history: true })
      expect(late.framed).toBe(true)
      late.input.write('now\n')
      await expect.poll(() => late.heard).toMatchObject({ out: 'now\n', err: 'e\n' })
      // Podman begins to listen only a moment after it has said that it does.
      if (kind === 'podman') return expect.poll(() => told.heard.out).toMatch(/^early\n/)
      await expect.poll(() => told.heard).toMatchObject({ out: 'early\nnow\n', err: 'e\n' })
    })

    test('the end of one caller’s input ends neither the container’s stdin nor its output', async () => {
      const id = await running({ command: ['cat'] })
      const one = await attach(id)
      one.input.end('first\n')
      await expect.poll(() => one.heard.out).toBe('first\n')
      const two = await attach(id)
      two.input.write('second\n')
      await expect.poll(() => two.heard.out).toBe('second\n')
      await expect.poll(() => one.heard.out).toBe('first\nsecond\n')
      expect(one.heard.ended).toBe(false)
    })

    test('a container that never reads its stdin slows the caller down, and lets it go', async () => {
      const id = await running({ command: ['sleep', '1000'] })
      const leaving = new AbortController()
      const one = await attach(id, { signal: leaving.signal })
      let sent = 0
      const chunk = Buffer.alloc(64 * 1024)
      while (one.input.write(chunk) && sent < 64 << 20) {
        sent += chunk.length
        await new Promise((resolve) => setImmediate(resolve))
      }
      expect(sent).toBeLessThan(16 << 20)
      leaving.abort(new Error('gone'))
      await expect.poll(() => one.heard.ended).toBe(true)
      expect(await engine.docker('inspect', '-f', '{{.State.Running}}', `gantry-${id}`)).toBe('true')
    })

    test('a container that has ended says so', async () => {
      const ended = anAssignment({ interactive: true, command: ['true'] })
      bench.assign(ended)
      await bench.settled(ended, (o) => o.engine?.state === 'exited')
      await expect(attach(ended.id)).rejects.toMatchObject({ code: 'container.state' })
    })
  })

  describe('a command made ready', () => {
    const ready = async (id: ContainerId, tty: boolean, ...command: string[]) => {
      const plain = { environment: {}, workdir: null, user: null }
      return (await call('execCreate', { id, command, tty, stdin: true, ...plain })).reply.execId
    }

    test('runs once, in the terminal size it was told before', async () => {
      const id = await running({ command: ['sleep', '1000'] })
      const execId = await ready(id, true, 'sh', '-c', 'sleep 0.3; stty size; read x; exit 6')
      expect(execId).toMatch(/^[0-9a-f]{64}$/)
      await call('execResize', { id, execId, rows: 41, columns: 111 })
      const input = new PassThrough()
      const { reply, output } = await call('execStart', { id, execId }, input)
      expect(reply).toEqual({ tty: true })
      const heard = listen(output, true)
      await expect.poll(() => heard.out).toContain('41 111')
      await expect(call('execStart', { id, execId })).rejects.toMatchObject({ code: 'container.exec-not-found' })
      input.write('\n')
      await expect.poll(() => heard.exitCode).toBe(6)
      const late = call('execResize', { id, execId, rows: 1, columns: 1 })
      await expect(late).rejects.toMatchObject({ code: 'container.exec-not-found' })
    })

    test('is nothing to another container', async () => {
      const [id, other] = [await running({}), await running({})]
      const execId = await ready(id, false, 'true')
      const unknown = { code: 'container.exec-not-found' }
      await expect(call('execStart', { id: other, execId })).rejects.toMatchObject(unknown)
      await expect(call('execResize', { id: other, execId, rows: 1, columns: 1 })).rejects.toMatchObject(unknown)
      const heard = listen((await call('execStart', { id, execId })).output, true)
      await expect.poll(() => heard.exitCode).toBe(0)
    })
  })
})
