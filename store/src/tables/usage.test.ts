import type { ContainerId, HostId, ProjectId } from '@gantry/model'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openStore } from '../testing/open-store.ts'
import { aContainer, inCapsule, ours, theirs } from '../testing/samples.ts'

const owners = { projects: [ours, theirs], hosts: [null, 'h1', 'h2'] as (HostId | null)[] }
const cpu = fc.integer({ min: 1, max: 8_000_000 }).map((millionths) => millionths / 1e6)
const event = fc.record({
  kind: fc.constantFrom('insert', 'update', 'move', 'place', 'remove'),
  id: fc.nat({ max: 5 }).map((number) => `c${number}` as ContainerId),
  project: fc.constantFrom(...owners.projects),
  host: fc.constantFrom(...owners.hosts),
  sandbox: fc.boolean(),
  cpu,
  memory: fc.nat({ max: 4096 }),
})

test('what hosts and projects have promised is the sum over their containers, whatever happens to these', async () => {
  await using opened = await openStore()
  const { containers, hosts } = opened.store
  await hosts.upsert({ id: 'h1' as HostId, name: 'host-1', availabilityZone: 'nova', facts: {} as never, at: 1 })
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 25 }), async (events) => {
      const model = new Map<ContainerId, Counted>()
      for (const { kind, id, project, host, sandbox, cpu, memory } of events) {
        const before = model.get(id)
        if (kind === 'insert' && !before) {
          const container = aContainer(id, {
            projectId: project,
            hostId: host,
            ...(sandbox && { capsule: inCapsule('sandbox') }),
          })
          const spec = { ...container.spec, cpu, memory, disk: 1 }
          await containers.insert({ ...container, spec })
          model.set(id, { project, host, counts: sandbox ? 0 : 1, cpu, memory })
        } else if (!before) continue
        else if (kind === 'update') {
          const spec = { ...aContainer(id).spec, cpu, memory, disk: 1 }
          await containers.update(id, { spec })
          model.set(id, { ...before, cpu, memory })
        } else if (kind === 'move') {
          await containers.update(id, { hostId: host })
          model.set(id, { ...before, host })
        } else if (kind === 'place' && host) {
          await containers.place([{ id, hostId: host, hostName: host, lease: null }])
          if (before.host === null) model.set(id, { ...before, host })
        } else if (kind === 'remove') {
          await containers.remove(id)
          model.delete(id)
        }
      }
      const all = [...model.values()]
      for (const project of owners.projects) {
        const mine = all.filter((one) => one.project === project)
        expect(await containers.usageOfProject(project)).toEqual(sumOf(mine))
      }
      for (const host of ['h1', 'h2'] as HostId[]) {
        const there = all.filter((one) => one.host === host)
        expect(await containers.usageOfHost(host)).toEqual(sumOf(there))
      }
      expect((await hosts.list())[0]?.used).toEqual(sumOf(all.filter(({ host }) => host === 'h1')))
      for (const id of model.keys()) await containers.remove(id)
    }),
    { numRuns: 40 },
  )
})

interface Counted {
  readonly project: ProjectId
  readonly host: HostId | null
  readonly counts: number
  readonly cpu: number
  readonly memory: number
}

function sumOf(all: readonly Counted[]) {
  const sum = (of: (one: Counted) => number) => all.reduce((total, one) => total + of(one), 0)
  return {
    containers: sum(({ counts }) => counts),
    cpu: sum(({ cpu }) => Math.round(cpu * 1e6)) / 1e6,
    memory: sum(({ memory }) => memory),
    disk: all.length,
  }
}
