import { randomUUID } from 'node:crypto'
import type { Capsules, CapsuleView, Containers, NewCapsule } from '@gantry/control'
import type { Caller, Capsule, CapsuleId } from '@gantry/model'
import { Shelf } from './shelf.ts'

/** Capsules in memory; their containers are those of `containers`, and run at once. */
export function fakeCapsules(containers: Containers): Capsules {
  const shelf = new Shelf<CapsuleView & { id: string; projectId: string }>(
    'capsule',
    'capsule.not-found',
    ({ capsule }) => [capsule.name],
  )
  return {
    create: async (caller, input) => {
      const capsule = aCapsule(caller, input)
      const make = (list: NewCapsule['containers']) =>
        Promise.all(
          list.map(({ spec, mounts }, index) =>
            containers.create(caller, { name: `${capsule.name}-${index}`, spec, run: true, mounts }),
          ),
        )
      const made = await make(input.containers)
      const initContainers = await make(input.initContainers)
      const { id, projectId } = capsule
      const status = { status: 'Running', statusReason: null, hostName: 'host-1' } as const
      return shelf.add({
        id,
        projectId,
        capsule,
        ...status,
        nics: made[0]?.nics ?? [],
        containers: made,
        initContainers,
      })
    },
    list: async (caller, { allProjects, limit, marker }) => {
      const all = shelf.list(caller, allProjects)
      const from = marker === null ? 0 : all.findIndex(({ id }) => id === marker) + 1
      return all.slice(from, from + limit)
    },
    get: async (caller, ref) => {
      const found = shelf.find(caller, ref)
      const now = await Promise.all(found.containers.map(({ id }) => containers.get(caller, id)))
      return { ...found, containers: now }
    },
    delete: async (caller, ref) => {
      const { containers: inside } = shelf.remove(caller, ref)
      for (const { id } of inside) await containers.delete(caller, id, { force: false, stop: true })
    },
  }
}

function aCapsule(caller: Caller, { name, labels, annotations, restartPolicy }: NewCapsule): Capsule {
  const id = randomUUID() as CapsuleId
  const { projectId, userId } = caller
  const rest = { hostId: null, gone: false, createdAt: 0, updatedAt: 0 }
  return {
    id,
    projectId,
    userId,
    name: name ?? `made-up-${id.slice(0, 8)}`,
    labels,
    annotations,
    restartPolicy,
    ...rest,
  }
}
