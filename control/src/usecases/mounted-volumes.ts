import type { Caller, CapsuleId, Container, ContainerId, ProjectId, VolumeId } from '@gantry/model'
import type { Control } from '../control.ts'

/** Where a container has a volume. */
export interface MountedVolume {
  readonly container: Container
  readonly destination: string
  readonly readOnly: boolean
}

/** More than any quota allows. */
const all = 1_000_000
/** Capsules that one call gives at most. */
const pageSize = 1000

/**
 * Which containers have each volume, and where; members of capsules are among them. `project` is another than the caller's for
 * administrators only, null: all. A volume that nothing mounts is not in the answer.
 */
export async function mountedVolumes(
  control: Pick<Control, 'containers' | 'capsules'>,
  caller: Caller,
  project: ProjectId | null = caller.projectId,
): Promise<Map<VolumeId, MountedVolume[]>> {
  const mounted = new Map<VolumeId, MountedVolume[]>()
  for (const container of await everyContainer(control, caller, project)) {
    for (const mount of container.mounts) {
      if (mount.kind !== 'volume') continue
      const { volumeId, destination, readOnly } = mount
      mounted.set(volumeId, [...(mounted.get(volumeId) ?? []), { container, destination, readOnly }])
    }
  }
  return mounted
}

/** Those of capsules after the others. */
async function everyContainer(
  { containers, capsules }: Pick<Control, 'containers' | 'capsules'>,
  caller: Caller,
  project: ProjectId | null,
): Promise<Container[]> {
  const allProjects = project !== caller.projectId
  const byId = new Map<ContainerId, Container>()
  const query = { sortKey: 'created_at', descending: false, limit: all, marker: null } as const
  const filters = project === null ? {} : { projectId: project }
  for (const each of await containers.list(caller, { ...query, allProjects, filters })) byId.set(each.id, each)
  for (let marker: CapsuleId | null = null; ; ) {
    const page = await capsules.list(caller, { allProjects, limit: pageSize, marker })
    for (const each of page.flatMap((one) => [...one.initContainers, ...one.containers])) {
      if (project === null || each.projectId === project) byId.set(each.id, each)
    }
    marker = page.at(-1)?.capsule.id ?? null
    if (page.length < pageSize) return [...byId.values()]
  }
}
