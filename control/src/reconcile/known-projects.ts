import { BoundedMap } from '@gantry/kernel'
import type { ContainerId, ProjectId } from '@gantry/model'
import type { ContainerTable } from '../ports/store.ts'

/** Whose containers are: it never changes, so that each is asked for once. */
export interface KnownProjects {
  note(id: ContainerId, projectId: ProjectId): void
  /** Of those that are there, or were. */
  of(ids: readonly ContainerId[]): Promise<ReadonlySet<ProjectId>>
}

const most = 50_000

export function knownProjects(containers: Pick<ContainerTable, 'projectsOf'>): KnownProjects {
  const known = new BoundedMap<ContainerId, ProjectId>(most)
  return {
    note: (id, projectId) => known.set(id, projectId),
    async of(ids) {
      const projects = new Set<ProjectId>()
      const unknown: ContainerId[] = []
      for (const id of ids) {
        const projectId = known.get(id)
        if (projectId === undefined) unknown.push(id)
        else projects.add(projectId)
      }
      for (const [id, projectId] of await containers.projectsOf(unknown)) {
        known.set(id, projectId)
        projects.add(projectId)
      }
      return projects
    },
  }
}
