import type { ContainerId, ProjectId, SecurityGroupId } from '@gantry/model'
import { deleteGroup, groupIdFor, insertGroup, insertRule } from './groups.ts'
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
  const rules = rulesFor(exposedPorts)
  await enforceLimit(work, projectId, 'groups')
  await enforceLimit(work, projectId, 'rules', rules.length)
  const id = groupIdFor('exposed', containerId)
  const sketch = { id, projectId, name: `zun-${containerId}`, description: `Exposed ports of container ${containerId}` }
  await insertGroup(work, sketch, rules)
  return id
}

/** Adds what the group does not open yet. */
export async function openFurther(work: Work, id: SecurityGroupId, exposedPorts: readonly string[]): Promise<void> {
  const group = await work.tables.groups.get(id)
  if (!group) return
  const missing = rulesFor(exposedPorts).filter((rule) => !group.rules.some((known) => isSameRule(known, rule)))
  await enforceLimit(work, group.projectId, 'rules', missing.length)
  for (const rule of missing) await insertRule(work, id, rule)
  if (missing.length > 0) work.touched.groups.add(id)
}

/** Each once, whatever its spellings; a map, because a request may name every port there is. */
function rulesFor(exposedPorts: readonly string[]): RuleBody[] {
  const rules = new Map<string, RuleBody>()
  for (const port of exposedPorts) {
    const opened = exposedPort(port)
    for (const version of [4, 6] as const) {
      rules.set(`${version} ${opened.protocol} ${opened.portMin}`, { ...openRule('ingress', version), ...opened })
    }
  }
  return [...rules.values()]
}

/** It goes with its container, unless the user has put other ports into it. */
export async function removeExposedGroup(work: Work, containerId: ContainerId): Promise<void> {
  const id = groupIdFor('exposed', containerId)
  if (!(await work.tables.groups.get(id))) return
  if ((await work.tables.ports.ofGroup(id)).length === 0) await deleteGroup(work, id)
}
