import type { ContainerId, ProjectId, SecurityGroupId } from '@gantry/model'
import { deleteGroup, groupIdFor, insertGroup } from './groups.ts'
import { enforceLimit } from './limits.ts'
import type { Work } from './parts.ts'
import { exposedPort, isSameRule, openRule, type RuleBody } from './security-rules.ts'

/** The group that opens a container's exposed ports to everybody; null: it exposes none. */
export async function exposedGroup(
  work: Work,
  projectId: ProjectId,
  containerId: ContainerId,
  exposedPorts: readonly string[],
): Promise<SecurityGroupId | null> {
  if (exposedPorts.length === 0) return null
  const rules: RuleBody[] = []
  for (const port of exposedPorts) {
    for (const version of [4, 6] as const) {
      const rule = { ...openRule('ingress', version), ...exposedPort(port) }
      if (!rules.some((other) => isSameRule(other, rule))) rules.push(rule)
    }
  }
  await enforceLimit(work, projectId, 'groups')
  await enforceLimit(work, projectId, 'rules', rules.length)
  const id = groupIdFor('exposed', containerId)
  const sketch = { id, projectId, name: `zun-${containerId}`, description: `Exposed ports of container ${containerId}` }
  await insertGroup(work, sketch, rules)
  return id
}

/** It goes with its container, unless the user has put other ports into it. */
export async function removeExposedGroup(work: Work, containerId: ContainerId): Promise<void> {
  const id = groupIdFor('exposed', containerId)
  if (!(await work.tables.groups.get(id))) return
  if ((await work.tables.ports.ofGroup(id)).length === 0) await deleteGroup(work, id)
}
