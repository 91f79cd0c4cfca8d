import {
  type CapsuleId,
  type CapsuleRole,
  type Container,
  type ContainerId,
  defaultSpec,
  type EngineContainer,
  nothingObserved,
  type ProjectId,
  type UserId,
} from '@gantry/model'
import { anEngineContainer } from '@gantry/model/testing'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { capsuleStatusOf, isDue } from './capsule-turn.ts'

const capsuleId = 'capsule' as CapsuleId

const engine = (state: EngineContainer['state'], exitCode: number | null = null) =>
  anEngineContainer({ state, startedAt: 't', exitCode })

function member(role: CapsuleRole, position: number, over: Partial<Container> = {}): Container {
  return {
    id: `${role}${position}` as ContainerId,
    projectId: 'p' as ProjectId,
    userId: 'u' as UserId,
    name: `${role}${position}`,
    createdAt: 0,
    updatedAt: 0,
    spec: defaultSpec('busybox'),
    wish: {
      version: 1,
      generation: 1,
      power: { kind: 'running', since: null, bounce: false, graceSeconds: 0 },
      paused: false,
      gone: null,
    },
    nics: [],
    mounts: [],
    capsule: { capsuleId, role, position },
    registryId: null,
    sealedRegistryAuth: null,
    task: 'container_creating',
    hostId: null,
    hostName: null,
    imageRef: 'busybox',
    imageManifest: null,
    placementFailure: null,
    observed: nothingObserved,
    seenGeneration: 0,
    hostLost: false,
    status: 'Creating',
    statusReason: null,
    ...over,
  }
}

const seen = (container: Container, what: EngineContainer): Container => ({
  ...container,
  seenGeneration: 1,
  observed: { engine: what, settled: 1, failure: null },
})

const dueOf = (members: readonly Container[]) => members.filter((each) => isDue(each, members)).map(({ id }) => id)

describe('whose turn it is in a capsule', () => {
  test('sandbox, then each init container after the success of the one before, then the rest', () => {
    const sandbox = member('sandbox', 0)
    const [first, second] = [member('init', 0), member('init', 1)]
    const rest = [member('member', 0), member('member', 1)]
    expect(dueOf([sandbox, first, second, ...rest])).toEqual(['sandbox0'])
    const up = seen(sandbox, engine('running'))
    expect(dueOf([up, first, second, ...rest])).toEqual(['sandbox0', 'init0'])
    expect(dueOf([up, seen(first, engine('running')), second, ...rest])).toEqual(['sandbox0', 'init0'])
    expect(dueOf([up, seen(first, engine('exited', 1)), second, ...rest])).toEqual(['sandbox0', 'init0'])
    const done = seen(first, engine('exited', 0))
    expect(dueOf([up, done, second, ...rest])).toEqual(['sandbox0', 'init0', 'init1'])
    const bothDone = [done, seen(second, engine('exited', 0))]
    expect(dueOf([up, ...bothDone, ...rest])).toHaveLength(5)
  })

  test('at the end the sandbox goes last', () => {
    const gone = { wish: { ...member('member', 0).wish, gone: { graceSeconds: 0 } } }
    const all = [member('sandbox', 0, gone), member('init', 0, gone), member('member', 0, gone)]
    expect(dueOf(all)).toEqual(['init0', 'member0'])
    expect(dueOf(all.slice(0, 1))).toEqual(['sandbox0'])
  })

  test('what a host has had is never kept from it again, whatever happens to the others', () => {
    const states = fc.constantFrom<EngineContainer['state']>('created', 'running', 'restarting', 'exited', 'dead')
    const any = (role: CapsuleRole, position: number) =>
      fc
        .record({ had: fc.boolean(), state: states, exitCode: fc.constantFrom(null, 0, 1) })
        .map(({ had, state, exitCode }) =>
          had ? seen(member(role, position), engine(state, exitCode)) : member(role, position),
        )
    const members = fc.tuple(any('sandbox', 0), any('init', 0), any('init', 1), any('member', 0))
    fc.assert(
      fc.property(members, (all) => {
        const due = dueOf(all)
        for (const each of all) if (each.seenGeneration > 0) expect(due).toContain(each.id)
        expect(due).toContain('sandbox0')
      }),
    )
  })
})

describe('the status of a capsule', () => {
  const capsule = {
    id: capsuleId,
    projectId: 'p' as ProjectId,
    userId: 'u' as UserId,
    name: 'c',
    labels: {},
    annotations: {},
    restartPolicy: 'always' as const,
    hostId: null,
    gone: false,
    createdAt: 0,
    updatedAt: 0,
  }
  test.each([
    ['Creating', [member('member', 0)]],
    ['Running', [member('member', 0, { status: 'Running' }), member('member', 1, { status: 'Stopped' })]],
    ['Stopped', [member('member', 0, { status: 'Stopped' })]],
    ['Error', [member('member', 0, { status: 'Error', statusReason: 'no image' }), member('member', 1)]],
    ['Error', [seen(member('init', 0), engine('exited', 3)), member('member', 0)]],
  ] as const)('%s', (status, members) => {
    expect(capsuleStatusOf(capsule, [member('sandbox', 0, { status: 'Running' }), ...members]).status).toBe(status)
  })
})
