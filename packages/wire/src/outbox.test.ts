import type { NetworkId, ProjectId } from '@gantry/model'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Outbox } from './outbox.ts'
import type { HostPlan, PlanMessage } from './relay-ports.ts'
import { assignment, textOf } from './test-harness.ts'

type Event =
  | { readonly kind: 'write'; readonly container: number }
  | { readonly kind: 'announce'; readonly container: number }
  | { readonly kind: 'read' }
  | { readonly kind: 'sync' }
  | { readonly kind: 'send' }

const container = fc.nat(2)
const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('write' as const), container }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('announce' as const), container }) },
  { weight: 4, arbitrary: fc.constant({ kind: 'send' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'read' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'sync' as const }) },
)

/**
 * A database that raises versions, announcements that are late or early, one snapshot that is read at any point and synced
 * at any later one, and a connection that takes messages whenever it likes.
 */
test('in any order of events the agent gets every newest version, none after a newer one, and all of the snapshot before synced', () => {
  fc.assert(
    fc.property(fc.array(event, { minLength: 8, maxLength: 60 }), (events) => {
      const outbox = new Outbox()
      const stored = new Map<string, number>()
      const announced = new Map<string, number>()
      const told: string[] = []
      let snapshot: [string, number][] | null = null
      let synced = false
      const send = () => {
        const message = outbox.next()
        if (message) told.push(textOf(message))
        return message !== null
      }
      const sync = () => {
        snapshot ??= [...stored]
        const assignments = snapshot.map(([id, version]) => assignment(id, version))
        outbox.sync({ fabric: [], volumes: [], assignments })
        synced = true
      }
      for (const event of events) {
        const id = 'container' in event ? `c${event.container}` : ''
        if (event.kind === 'write') stored.set(id, (stored.get(id) ?? 0) + 1)
        else if (event.kind === 'announce' && stored.has(id)) {
          announced.set(id, stored.get(id) ?? 0)
          outbox.offer(assignment(id, stored.get(id)))
        } else if (event.kind === 'read') snapshot ??= [...stored]
        else if (event.kind === 'sync' && !synced) sync()
        // The link sends nothing before the sync.
        else if (event.kind === 'send' && synced) send()
      }
      if (!synced) sync()
      while (send());

      const mark = told.indexOf('synced')
      expect(told.filter((line) => line === 'synced')).toHaveLength(1)
      for (const [id, version] of snapshot ?? []) {
        const first = told.findIndex((line) => line.startsWith(`${id}@`))
        expect(first).toBeGreaterThanOrEqual(0)
        expect(first).toBeLessThan(mark)
        expect(Number(told[first]?.split('@')[1])).toBeGreaterThanOrEqual(version)
      }
      for (const id of stored.keys()) {
        const versions = told.filter((line) => line.startsWith(`${id}@`)).map((line) => Number(line.split('@')[1]))
        expect(versions).toEqual([...versions].sort((a, b) => a - b))
        expect(versions.at(-1) ?? 0).toBeGreaterThanOrEqual(announced.get(id) ?? 0)
      }
    }),
    { numRuns: 500 },
  )
})

test('what is waiting is replaced, so a host that takes nothing costs one assignment a container', () => {
  const outbox = new Outbox()
  for (let version = 1; version <= 1000; version += 1) outbox.offer(assignment('c1', version))
  expect(outbox.next()).toMatchObject({ kind: 'assign', assignment: { wish: { version: 1000 } } })
  expect(outbox.next()).toBeNull()
})

test('within a version, what has been seen and what has failed is not taken back', () => {
  const outbox = new Outbox()
  const first = assignment('c1', 3)
  const later = { ...first, seenGeneration: 1, failed: { step: 'start', reason: 'no' } }
  outbox.offer(later)
  outbox.next()
  outbox.offer(first)
  expect(outbox.next()).toBeNull()
  outbox.offer(later)
  expect(outbox.next()).toMatchObject({ kind: 'assign', assignment: later })
})

test('plans keep their order, come before the assignments that wait, and those of the snapshot before later ones', () => {
  const outbox = new Outbox()
  const volume = (id: string) => ({ kind: 'volume' as const, id, size: 1, source: null, made: false, gone: false })
  outbox.offer(assignment('c1'))
  outbox.tell({ kind: 'volume', plan: volume('later') })
  const network = { id: 'n1' as NetworkId, projectId: 'p' as ProjectId, external: false, mtu: 1500, subnets: [] }
  const fabric = [{ networks: [network], groups: [], routers: [], gone: [] }]
  outbox.sync({ fabric, volumes: [volume('first')], assignments: [assignment('c2')] })
  outbox.tell({ kind: 'volume', plan: volume('last') })
  const told: string[] = []
  for (let next = outbox.next(); next; next = outbox.next()) told.push(textOf(next))
  expect(told).toEqual(['fabric n1', 'volume first', 'volume later', 'volume last', 'c1@1', 'c2@1', 'synced'])
})

test('plans that are not taken are bounded, beside all that the sync told', () => {
  const outbox = new Outbox(3)
  const gone = (id: string) => ({ kind: 'fabric', plan: { kind: 'no-network', id } }) as unknown as PlanMessage
  outbox.sync({
    fabric: [gone('a'), gone('b')].map(({ plan }) => plan) as HostPlan['fabric'],
    volumes: [],
    assignments: [],
  })
  const told = ['c', 'd', 'e'].map((id) => outbox.tell(gone(id)))
  expect([...told, outbox.tell(gone('f'))]).toEqual([true, true, true, false])
  expect(outbox.next()).toEqual(gone('a'))
  expect(outbox.tell(gone('g'))).toBe(true)
})
