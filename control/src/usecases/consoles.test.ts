import { PassThrough, Readable } from 'node:stream'
import { type Fault, randomIds } from '@gantry/kernel'
import type { Caller, Container, ContainerId } from '@gantry/model'
import { defaultSpec, nothingObserved } from '@gantry/model'
import type { AgentCalls, CallIo } from '@gantry/wire'
import { describe, expect, test } from 'vitest'
import type { Consoles } from '../control.ts'
import type { Deps } from '../deps.ts'
import type { ConsoleSession } from '../ports/console-table.ts'
import { attachVerb } from './attach.ts'
import { createPace } from './paced-calls.ts'
import { consoleVerbs } from './consoles.ts'
import { mostStreams, openStreams } from './open-streams.ts'

const caller = { projectId: 'p1', userId: 'u1', isAdmin: false } as Caller
const never = new AbortController().signal
const startedAt = 1_700_000_000_000

/** One interactive container `c1` that runs on a host that answers everything. */
function aBench() {
  const container = {
    id: 'c1' as ContainerId,
    name: 'web',
    projectId: caller.projectId,
    hostId: 'h1',
    status: 'Running',
    spec: { ...defaultSpec('busybox'), interactive: true, tty: true },
    observed: { ...nothingObserved, engine: { startedAt: new Date(startedAt).toISOString() } },
  } as unknown as Container
  const rows = new Map([[container.id, container]])
  const sessions = new Map<string, ConsoleSession>()
  const asked: { name: string; args: unknown; input: Readable | undefined }[] = []
  const clock = { at: startedAt + 60_000, now: () => clock.at }
  const answer = (name: string, reply: object, output: () => Readable | null) => async (args: unknown, io: CallIo) => {
    asked.push({ name, args, input: io.input })
    return { reply, output: output() }
  }
  const calls = {
    attach: answer('attach', { framed: false }, () => new PassThrough()),
    execCreate: answer('execCreate', { execId: 'e1' }, () => null),
    execStart: answer('execStart', { tty: true }, () => new PassThrough()),
  } as unknown as AgentCalls
  const deps = {
    clock,
    ids: randomIds,
    links: { calls: () => calls },
    pace: createPace(0, clock),
    store: {
      containers: {
        find: async (scope: string | null, ref: string) =>
          [...rows.values()].filter(
            ({ id, name, projectId }) => (scope === null || scope === projectId) && (id === ref || name === ref),
          ),
        get: async (id: ContainerId) => rows.get(id),
      },
      consoles: {
        insert: async (session: ConsoleSession) => void sessions.set(session.tokenHash, session),
        redeem: async (hash: string) => {
          const session = sessions.get(hash)
          sessions.delete(hash)
          return session
        },
      },
    },
  } as unknown as Deps
  const streams = openStreams()
  const change = (more: Partial<Container>) => void rows.set(container.id, { ...container, ...more })
  const consoles: Consoles = consoleVerbs(deps, streams)
  return { consoles, attach: attachVerb(deps, streams).attach, rows, sessions, asked, clock, change, container }
}

type Bench = ReturnType<typeof aBench>
type Opened = Awaited<ReturnType<Consoles['open']>>

const connect = ({ consoles }: Bench, opened: Opened, more: Partial<Opened> = {}) =>
  consoles.connect({ ...opened, ...more }, new PassThrough(), never)
const code = (promise: Promise<unknown>) =>
  promise.then(
    () => 'fine',
    (error: Fault) => error.code,
  )

describe('a console', () => {
  test('opens once with its token', async () => {
    const bench = aBench()
    const opened = await bench.consoles.open(caller, 'web', { kind: 'attach' })
    expect(opened).toMatchObject({ containerId: 'c1', execId: null })
    expect(opened.token).toMatch(/^[0-9a-f]{64}$/)
    expect(JSON.stringify([...bench.sessions])).not.toContain(opened.token)
    expect((await connect(bench, opened)).framed).toBe(false)
    expect(bench.asked).toMatchObject([{ name: 'attach', args: { id: 'c1', stdin: true, history: false } }])
    expect(await code(connect(bench, opened))).toBe('console.refused')
  })

  test('of a command makes it ready at once, and starts it when its client comes', async () => {
    const bench = aBench()
    const target = { kind: 'exec', command: ['sh'], tty: true } as const
    const opened = await bench.consoles.open(caller, 'c1', target)
    expect(opened.execId).toBe('e1')
    expect((await connect(bench, opened)).framed).toBe(true)
    expect(bench.asked.map(({ name }) => name)).toEqual(['execCreate', 'execStart'])
    expect(bench.asked[0]?.args).toMatchObject({ command: ['sh'], tty: true, stdin: true })
    expect(bench.asked[1]).toMatchObject({ args: { id: 'c1', execId: 'e1' }, input: expect.any(Readable) })
  })

  test.each([
    ['of another container', { containerId: 'c2' as ContainerId }],
    ['of another command', { execId: 'e2' }],
    ['that nobody gave out', { token: 'f'.repeat(64) }],
  ])('refuses a token %s', async (_what, more) => {
    const bench = aBench()
    const opened = await bench.consoles.open(caller, 'web', { kind: 'attach' })
    expect(await code(connect(bench, opened, more))).toBe('console.refused')
    expect(bench.asked).toEqual([])
  })

  test('a token tried on the wrong container is used up', async () => {
    const bench = aBench()
    const opened = await bench.consoles.open(caller, 'web', { kind: 'attach' })
    await code(connect(bench, opened, { containerId: 'c2' as ContainerId }))
    expect(await code(connect(bench, opened))).toBe('console.refused')
  })

  test('lives a minute', async () => {
    const bench = aBench()
    const [one, two] = [await open(bench), await open(bench)]
    bench.clock.at += 59_999
    expect(await code(connect(bench, one))).toBe('fine')
    bench.clock.at += 1
    expect(await code(connect(bench, two))).toBe('console.refused')
  })

  test('looks at the container again when its client comes', async () => {
    const bench = aBench()
    const [one, two] = [await open(bench), await open(bench)]
    bench.change({ status: 'Stopped' })
    expect(await code(connect(bench, one))).toBe('container.state')
    bench.rows.clear()
    expect(await code(connect(bench, two))).toBe('console.refused')
  })

  test('is not given for what cannot be attached to', async () => {
    const bench = aBench()
    bench.change({ status: 'Stopped' })
    expect(await code(open(bench))).toBe('container.state')
    bench.change({ spec: { ...bench.container.spec, interactive: false } })
    expect(await code(open(bench))).toBe('container.not-interactive')
    expect(await code(bench.consoles.open({ ...caller, projectId: 'p2' } as Caller, 'c1', { kind: 'attach' }))).toBe(
      'container.not-found',
    )
    expect(bench.sessions.size).toBe(0)
  })
})

const open = ({ consoles }: Bench) => consoles.open(caller, 'web', { kind: 'attach' })

describe('attach', () => {
  test('tells what a fresh container wrote before', async () => {
    const bench = aBench()
    bench.clock.at = startedAt + 3000
    await bench.attach(caller, 'web', null, never)
    expect(bench.asked[0]?.args).toMatchObject({ history: true, stdin: false })
  })

  test('counts as one of the project’s streams until it is closed', async () => {
    const bench = aBench()
    const streams = await Promise.all(
      Array.from({ length: mostStreams }, () => bench.attach(caller, 'web', null, never)),
    )
    expect(await code(bench.attach(caller, 'web', null, never))).toBe('project.busy')
    expect(await code(connect(bench, await open(bench)))).toBe('project.busy')
    await new Promise((resolve) => streams[0]?.output.once('close', resolve).destroy())
    expect(await code(bench.attach(caller, 'web', null, never))).toBe('fine')
  })
})
