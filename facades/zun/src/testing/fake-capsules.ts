import type { Capsules, CapsuleView, NewCapsule } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { Caller, CapsuleId, Container } from '@gantry/model'
import { fakeContainer, fakeNow } from './fake-data.ts'
import type { FakeNetwork } from './fake-network.ts'

/** Capsules that run at once and go at once. */
export function fakeCapsules(network: FakeNetwork): Capsules {
  const rows = new Map<CapsuleId, CapsuleView>()
  let made = 0

  const sees = (caller: Caller, all: boolean) => (view: CapsuleView) =>
    view.capsule.projectId === caller.projectId || (all && caller.isAdmin)
  const find = (caller: Caller, ref: string, all = false): CapsuleView => {
    const found = [...rows.values()].filter(sees(caller, all))
    const [one, two] = found.filter(({ capsule: { id, name } }) => id === ref || name === ref)
    if (!one) throw new Fault('capsule.not-found', { ref })
    if (two) throw new Fault('capsule.ambiguous', { name: ref })
    return one
  }
  const membersOf = (caller: Caller, of: NewCapsule['containers']): Container[] =>
    of.map(({ spec }) => {
      made += 1
      return {
        ...fakeContainer(0x2000 + made, caller, { name: null, spec, run: true }, []),
        projectId: caller.projectId,
      }
    })

  return {
    async create(caller, input) {
      const nics = network.nics(caller, input.nets ?? [], input.groups)
      made += 1
      const id = `00000000-0000-4000-9000-${made.toString(16).padStart(12, '0')}` as CapsuleId
      const view: CapsuleView = {
        capsule: {
          id,
          projectId: caller.projectId,
          userId: caller.userId,
          name: input.name ?? `alpha-${made}-capsule`,
          labels: input.labels,
          annotations: input.annotations,
          restartPolicy: input.restartPolicy,
          hostId: null,
          gone: false,
          createdAt: fakeNow,
          updatedAt: fakeNow,
        },
        status: 'Running',
        statusReason: null,
        hostName: 'compute1',
        nics,
        containers: membersOf(caller, input.containers),
        initContainers: membersOf(caller, input.initContainers),
      }
      rows.set(id, view)
      return { ...view, status: 'Creating' }
    },
    async list(caller, { allProjects, limit, marker }) {
      const found = [...rows.values()].filter(sees(caller, allProjects))
      const start = marker === null ? 0 : found.findIndex(({ capsule }) => capsule.id === marker) + 1
      return found.slice(start, start + limit)
    },
    get: async (caller, ref, options) => find(caller, ref, options?.allProjects),
    delete: async (caller, ref, options) => void rows.delete(find(caller, ref, options?.allProjects).capsule.id),
  }
}
