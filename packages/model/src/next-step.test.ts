import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Assignment } from './assignment.ts'
import type { Nic } from './fabric.ts'
import type { ContainerId, NetworkId, PortId, ProjectId } from './ids.ts'
import { nextStep, type Seen, type Step } from './next-step.ts'
import type { EngineContainer, EngineState } from './observed.ts'
import { defaultSpec } from './spec.ts'
import { anEngineContainer } from './testing/an-engine-container.ts'

const engineContainer = (over: Partial<EngineContainer>) =>
  anEngineContainer({ state: 'running', startedAt: 't1', ...over })

const states: EngineState[] = ['created', 'running', 'paused', 'restarting', 'exited', 'removing', 'dead']

const seen = fc.record<Seen>({
  image: fc.constantFrom('unknown', 'present', 'absent'),
  engine: fc.option(
    fc
      .record({
        generation: fc.integer({ min: 1, max: 3 }),
        state: fc.constantFrom(...states),
        startedAt: fc.constantFrom(null, 't1', 't2'),
        cpu: fc.constantFrom(0.1, 0.3, 1),
        memory: fc.constantFrom(64, 512),
        nics: fc.subarray(['port-a', 'port-b', 'port-c']),
        error: fc.constantFrom('', '', 'cannot join network'),
      })
      .map((over) => engineContainer(over.state === 'created' ? { ...over, startedAt: null } : over)),
  ),
})

const nic = (portId: string): Nic => ({
  portId: portId as PortId,
  networkId: `net of ${portId}` as NetworkId,
  mac: '',
  addresses: [],
  groups: [],
  filtered: true,
  preserve: false,
})

const grace = fc.constantFrom(0, 10)
const assignment: fc.Arbitrary<Assignment> = fc
  .record({
    power: fc.oneof(
      fc.record({ kind: fc.constant('created' as const) }),
      fc.record({ kind: fc.constant('stopped' as const), graceSeconds: grace }),
      fc.record({
        kind: fc.constant('running' as const),
        since: fc.constantFrom(null, 't1', 't2'),
        bounce: fc.boolean(),
        graceSeconds: grace,
      }),
    ),
    paused: fc.boolean(),
    gone: fc.option(fc.record({ graceSeconds: grace })),
    generation: fc.integer({ min: 1, max: 3 }),
    seenGeneration: fc.integer({ min: 0, max: 3 }),
    autoRemove: fc.boolean(),
    autoHeal: fc.boolean(),
    pullPolicy: fc.constantFrom('always' as const, 'never' as const, 'ifnotpresent' as const),
    cpu: fc.constantFrom(0.1, 0.3, 1 / 3, 1),
    memory: fc.constantFrom(64, 512),
    restartPolicy: fc.constantFrom({ name: 'no', maxRetries: 0 } as const, { name: 'always', maxRetries: 0 } as const),
    ports: fc.subarray(['port-a', 'port-b', 'port-c']),
  })
  .map(({ power, paused, gone, generation, seenGeneration, ports, ...spec }) => ({
    id: 'c' as ContainerId,
    projectId: 'p' as ProjectId,
    name: 'n',
    spec: { ...defaultSpec('busybox'), ...spec },
    imageRef: 'busybox',
    wish: { version: 1, generation, power, paused, gone },
    nics: ports.map(nic),
    mounts: [],
    sandbox: null,
    imageSource: null,
    seenGeneration,
    failed: null,
  }))

/** An engine that does what it is told, at once; starting what runs already, and the like, changes nothing. */
function after(step: Step, wished: Assignment, { image, engine }: Seen, tick: number): Seen {
  const alive = engine?.state === 'running' || engine?.state === 'paused' || engine?.state === 'restarting'
  const become = (over: Partial<EngineContainer>): Seen => ({ image, engine: engine && { ...engine, ...over } })
  const { cpu, memory } = wished.spec
  switch (step.kind) {
    case 'pull':
      return { image: 'present', engine }
    case 'create': {
      if (engine) return { image, engine }
      if (image === 'absent') return { image, engine: null }
      const rounded = Math.round(cpu * 1e9) / 1e9
      const made = {
        state: 'created',
        startedAt: null,
        generation: wished.wish.generation,
        cpu: rounded,
        memory,
        // Engines take one interface when they create.
        nics: wished.nics.slice(0, 1).map(({ portId }) => portId),
      } as const
      return { image, engine: engineContainer(made) }
    }
    case 'update':
      return become({ cpu: Math.round(cpu * 1e9) / 1e9, memory })
    case 'connect':
      return become({ nics: [...(engine?.nics ?? []), step.portId] })
    case 'disconnect':
      return become({ nics: (engine?.nics ?? []).filter((portId) => portId !== step.portId) })
    case 'start':
      return alive ? { image, engine } : become({ state: 'running', startedAt: `now${tick}`, error: '' })
    case 'stop':
      return alive ? become({ state: 'exited' }) : { image, engine }
    case 'pause':
      return engine?.state === 'running' ? become({ state: 'paused' }) : { image, engine }
    case 'unpause':
      return engine?.state === 'paused' ? become({ state: 'running' }) : { image, engine }
    case 'remove':
      return { image, engine: null }
    case 'settle':
    case 'fail':
      return { image, engine }
  }
}

/** Follows the steps to their end, each taken `times` times over. */
function follow(wished: Assignment, from: Seen, times: number): { steps: Step[]; end: Seen; last: Step } {
  const steps: Step[] = []
  let now = from
  let { seenGeneration } = wished
  for (let tick = 0; tick < 50; tick += 1) {
    if (now.engine) seenGeneration = Math.max(seenGeneration, now.engine.generation)
    const step = nextStep({ ...wished, seenGeneration }, now)
    steps.push(step)
    if (step.kind === 'settle' || step.kind === 'fail') return { steps, end: now, last: step }
    for (let again = 0; again < times; again += 1) now = after(step, wished, now, tick)
  }
  throw new Error(`no end: ${steps.map((step) => step.kind).join(' ')}`)
}

describe('next step', () => {
  test('reaches an end in a few steps, from anything to anything', () => {
    fc.assert(
      fc.property(assignment, seen, (wished, from) => {
        expect(follow(wished, from, 1).steps.length).toBeLessThanOrEqual(12)
      }),
      { numRuns: 5000 },
    )
  })

  test('a settled wish is met', () => {
    fc.assert(
      fc.property(assignment, seen, (wished, from) => {
        const { end, last } = follow(wished, from, 1)
        if (last.kind !== 'settle') return
        const { wish, spec } = wished
        expect(last.gone).toBe(end.engine === null)
        if (wish.gone) expect(end.engine).toBeNull()
        if (!end.engine) {
          expect(wish.gone !== null || spec.autoRemove).toBe(true)
          return
        }
        const alive = ['running', 'paused', 'restarting'].includes(end.engine.state)
        expect(end.engine.generation).toBeGreaterThanOrEqual(wish.generation)
        expect(end.engine.memory).toBe(spec.memory)
        expect(end.engine.cpu).toBeCloseTo(spec.cpu, 4)
        if (wish.power.kind === 'stopped') expect(alive).toBe(false)
        if (wish.power.kind === 'running') expect(alive || end.engine.startedAt !== wish.power.since).toBe(true)
        if (end.engine.state === 'running') expect(wish.paused).toBe(false)
        if (end.engine.state === 'paused') expect(wish.paused).toBe(true)
      }),
      { numRuns: 5000 },
    )
  })

  test('taking each step twice leads to the same end', () => {
    fc.assert(
      fc.property(assignment, seen, (wished, from) => {
        const [once, twice] = [follow(wished, from, 1), follow(wished, from, 2)]
        expect(twice.last).toEqual(once.last)
        expect(twice.end.engine?.state).toEqual(once.end.engine?.state)
      }),
      { numRuns: 3000 },
    )
  })

  test('at its end it stays there', () => {
    fc.assert(
      fc.property(assignment, seen, (wished, from) => {
        const { end, last, steps } = follow(wished, from, 1)
        const made = steps.some((step) => step.kind === 'create') ? wished.wish.generation : 0
        const seenGeneration = Math.max(wished.seenGeneration, made, from.engine?.generation ?? 0)
        expect(nextStep({ ...wished, seenGeneration }, end)).toEqual(last)
      }),
      { numRuns: 3000 },
    )
  })

  test('a failure that was reported is not tried again, but a removal goes through it', () => {
    const failed = { step: 'start', reason: 'no' }
    fc.assert(
      fc.property(assignment, seen, (wished, from) => {
        const step = nextStep({ ...wished, failed }, from)
        if (wished.wish.gone) expect(step.kind).not.toBe('fail')
        else if (wished.spec.autoRemove) expect(['fail', 'remove', 'settle']).toContain(step.kind)
        else expect(step).toEqual({ kind: 'fail', failure: failed })
      }),
    )
  })

  const once = (spec: Partial<Assignment['spec']>, failed: Assignment['failed'] = null): Assignment => ({
    id: 'c' as ContainerId,
    projectId: 'p' as ProjectId,
    name: 'n',
    spec: { ...defaultSpec('busybox'), ...spec },
    imageRef: 'busybox',
    nics: [],
    mounts: [],
    sandbox: null,
    imageSource: null,
    wish: {
      version: 2,
      generation: 1,
      power: { kind: 'running', since: null, bounce: false, graceSeconds: 0 },
      paused: false,
      gone: null,
    },
    seenGeneration: 1,
    failed,
  })

  test('one that removes itself does so although its newest wish failed', () => {
    const wished = once({ autoRemove: true }, { step: 'update', reason: 'no' })
    const running = { image: 'present', engine: engineContainer({}) } as const
    expect(nextStep(wished, running).kind).toBe('fail')
    const exited = { image: 'present', engine: engineContainer({ state: 'exited' }) } as const
    expect(nextStep(wished, exited)).toEqual({ kind: 'remove', why: 'finished' })
    expect(nextStep(wished, { image: 'present', engine: null })).toEqual({ kind: 'settle', gone: true })
    const neverRan = { image: 'present', engine: engineContainer({ state: 'created', startedAt: null }) } as const
    expect(nextStep(wished, neverRan).kind).toBe('fail')
    const neverMade = { ...wished, seenGeneration: 0 }
    expect(nextStep(neverMade, { image: 'absent', engine: null }).kind).toBe('fail')
  })

  test('one that removes itself is not healed into running again', () => {
    const wished = once({ autoRemove: true, autoHeal: true })
    expect(nextStep(wished, { image: 'present', engine: null })).toEqual({ kind: 'settle', gone: true })
  })

  test('limits that an engine refuses do not keep a container from being stopped', () => {
    const wished = once({ memory: 4096 })
    const stopping = { ...wished, wish: { ...wished.wish, power: { kind: 'stopped' as const, graceSeconds: 3 } } }
    expect(nextStep(stopping, { image: 'present', engine: engineContainer({}) })).toEqual({
      kind: 'stop',
      graceSeconds: 3,
    })
  })

  test('one that vanished is not silently made again', () => {
    const [wished] = fc.sample(assignment, { numRuns: 1, seed: 1 })
    if (!wished) throw new Error('no sample')
    const vanished = {
      ...wished,
      spec: { ...wished.spec, autoHeal: false, autoRemove: false },
      wish: { ...wished.wish, gone: null, generation: 2 },
      seenGeneration: 2,
    }
    expect(nextStep(vanished, { image: 'unknown', engine: null }).kind).toBe('fail')
    const healing = { ...vanished, spec: { ...vanished.spec, autoHeal: true, pullPolicy: 'ifnotpresent' as const } }
    expect(nextStep(healing, { image: 'unknown', engine: null }).kind).toBe('create')
  })
})
