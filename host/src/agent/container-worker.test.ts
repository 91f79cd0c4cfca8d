import { limiter, systemClock } from '@gantry/kernel'
import { type Assignment, type ContainerId, defaultSpec, type EngineContainer, type ProjectId } from '@gantry/model'
import type { AgentMessage } from '@gantry/wire'
import { expect, test } from 'vitest'
import type { Acts, Outcome } from './acts.ts'
import { ContainerWorker, type WorkerContext } from './container-worker.ts'
import { justCreated } from './engine-container.ts'

const base: Assignment = {
  id: 'c' as ContainerId,
  projectId: 'p' as ProjectId,
  name: 'n',
  spec: defaultSpec('busybox'),
  imageRef: 'busybox:latest',
  wish: {
    version: 1,
    generation: 1,
    power: { kind: 'running', since: null, bounce: false, graceSeconds: 0 },
    paused: false,
    gone: null,
  },
  nics: [],
  mounts: [],
  sandbox: null,
  imageSource: null,
  seenGeneration: 0,
  failed: null,
}
const deleted: Assignment = { ...base, wish: { ...base.wish, version: 2, gone: { graceSeconds: 0 } } }
const silent = () => undefined

/** A worker over an engine that holds one container at most; `over` replaces some of the acts. */
function aWorker(
  over: Partial<Acts>,
  spec: Partial<Assignment['spec']> = {},
  { seenGeneration = 0, remaking = false }: { seenGeneration?: number; remaking?: boolean } = {},
) {
  let engine: EngineContainer | null = null
  const look: Outcome = { know: 'look' }
  const acts: Acts = {
    pull: async () => ({ know: 'image', image: 'present' }),
    create: async (_step, assignment) => {
      engine = justCreated(assignment, 'e', [])
      return { know: 'created', container: engine }
    },
    start: async () => {
      if (engine) engine = { ...engine, state: 'running', startedAt: 't1' }
      return look
    },
    stop: async () => look,
    pause: async () => look,
    unpause: async () => look,
    update: async () => look,
    connect: async () => look,
    disconnect: async () => look,
    remove: async () => {
      engine = null
      return { know: 'absent' }
    },
    ...over,
  }
  const messages: AgentMessage[] = []
  const context: WorkerContext = {
    acts,
    inspect: async () => engine,
    remaking: { has: () => remaking, end: () => void (remaking = false) },
    leases: { allows: () => true, whenAllowed: async () => undefined, endedStart: () => null },
    link: () => ({ state: { up: true, reason: '' }, whenUp: async () => {} }),
    starting: limiter(1),
    ending: limiter(1),
    clock: systemClock,
    log: { debug: silent, info: silent, warn: silent, error: silent },
    report: (message) => void messages.push(message),
    onGone: () => {},
    signal: new AbortController().signal,
  }
  const first = { ...base, spec: { ...base.spec, ...spec }, seenGeneration }
  const worker = new ContainerWorker(first, 'absent', context)
  worker.wake()
  const isGone = () => messages.some((message) => message.kind === 'observed' && message.gone)
  const isRunning = () => engine?.state === 'running'
  const ends = () => {
    if (engine) engine = { ...engine, state: 'exited', exitCode: 0, finishedAt: 't2' }
    worker.changed('die')
  }
  const failure = () =>
    messages.flatMap((message) => (message.kind === 'observed' ? [message.observed.failure] : [])).at(-1)
  const isRemaking = () => remaking
  return { worker, messages, first, isGone, isRunning, isRemaking, failure, ends, holds: () => engine !== null }
}

test('a delete does not wait for the pull of a large image, but ends it', async () => {
  let pulling = false
  const pull: Acts['pull'] = (_step, _assignment, signal) =>
    new Promise((_resolve, reject) => {
      pulling = true
      signal.addEventListener('abort', () => {
        pulling = false
        reject(signal.reason)
      })
    })
  const { worker, isGone } = aWorker({ pull, create: async () => ({ know: 'image', image: 'absent' }) })
  await expect.poll(() => pulling).toBe(true)
  worker.assign(deleted)
  await expect.poll(isGone, { timeout: 500 }).toBe(true)
  expect(pulling).toBe(false)
})

test('a delete does not wait for a commit that never ends', async () => {
  const { worker, isGone, isRunning } = aWorker({})
  await expect.poll(isRunning).toBe(true)
  void worker.hold(() => new Promise(() => {}))
  worker.assign(deleted)
  await expect.poll(isGone, { timeout: 500 }).toBe(true)
})

test('what removes itself stays until the server knows that it ran', async () => {
  const { worker, first, isGone, isRunning, ends, holds } = aWorker({}, { autoRemove: true })
  await expect.poll(isRunning).toBe(true)
  ends()
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(holds()).toBe(true)
  worker.assign({ ...first, seenGeneration: 1 })
  await expect.poll(isGone, { timeout: 500 }).toBe(true)
})

test('what is not there any more is missed, unless it was taken away to be made anew', async () => {
  const missed = aWorker({}, {}, { seenGeneration: 1 })
  await expect.poll(() => missed.failure()?.reason).toContain('is missing from the engine')
  const remade = aWorker({}, {}, { seenGeneration: 1, remaking: true })
  await expect.poll(remade.isRunning).toBe(true)
  await expect.poll(remade.failure).toBeNull()
  // Now it is there, and its end would be one.
  expect(remade.isRemaking()).toBe(false)
})
