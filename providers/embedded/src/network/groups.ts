import { createHash } from 'node:crypto'
import type { NetworkVerbs, Tables } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type {
  Caller,
  Port,
  ProjectId,
  SecurityGroup,
  SecurityGroupId,
  SecurityGroupRule,
  SecurityGroupRuleId,
} from '@gantry/model'
import { enforceLimit } from './limits.ts'
import { checkName, conflict, type Parts, scopeOf, transact, type Work } from './parts.ts'
import { isSameRule, openRule, type RuleBody, ruleBody } from './security-rules.ts'
import { groupBy, isOwn, requireSameProject } from './sight.ts'

const defaultName = 'default'

export function groups(parts: Parts): NetworkVerbs['groups'] {
  return {
    create: (caller, { name, description }) =>
      transact(parts, async (work) => {
        if (name === defaultName) throw conflict('Each project has one security group default; choose another name.')
        await enforceLimit(work, caller.projectId, 'groups')
        const id = work.ids.uuid() as SecurityGroupId
        const sketch = { id, projectId: caller.projectId, name: checkName(name, 'security group'), description }
        return insertGroup(work, sketch, [openRule('egress', 4), openRule('egress', 6)])
      }),
    async list(caller, options) {
      const scope = scopeOf(caller, options)
      await readyDefault(parts, caller)
      return parts.store.groups.list(scope)
    },
    async get(caller, ref) {
      if (ref === defaultName) await readyDefault(parts, caller)
      return groupBy(parts.store, caller, ref)
    },
    delete: (caller, ref) => transact(parts, (work) => deleteByHand(work, caller, ref)),
    addRule: (caller, ref, input) =>
      transact(parts, async (work) => {
        const group = await groupOf(work, caller, ref)
        const remote = input.remoteGroup === null ? null : await groupOf(work, caller, input.remoteGroup)
        if (remote) requireSameProject(group, remote, 'A security group and those that its rules name')
        const body = ruleBody(input, remote?.id ?? null)
        const same = group.rules.find((rule) => isSameRule(rule, body))
        if (same) throw conflict(`Security group ${group.name} has this rule already: ${same.id}.`)
        await enforceLimit(work, group.projectId, 'rules')
        work.touched.groups.add(group.id)
        return insertRule(work, group.id, body)
      }),
    removeRule: (caller, ruleId) =>
      transact(parts, async ({ tables, touched }) => {
        const rule = await tables.groups.getRule(ruleId as SecurityGroupRuleId)
        const group = rule && (await tables.groups.get(rule.groupId))
        if (!group || !(caller.isAdmin || isOwn(caller, group))) {
          throw new Fault('network.not-found', { type: 'security group rule', ref: ruleId })
        }
        await tables.groups.removeRule(rule)
        touched.groups.add(group.id)
      }),
  }
}

/** A group by id or name; the project's `default` is there when it is asked for. */
export async function groupOf(work: Work, caller: Caller, ref: string): Promise<SecurityGroup> {
  if (ref === defaultName) await defaultGroup(work, caller.projectId)
  return groupBy(work.tables, caller, ref)
}

/** Ids of groups for a port, by ids or names; each once, in the order given. */
export async function groupIdsFor(
  work: Work,
  caller: Caller,
  port: Pick<Port, 'projectId'>,
  refs: readonly string[],
): Promise<SecurityGroupId[]> {
  const ids = new Set<SecurityGroupId>()
  for (const ref of refs) {
    const group = await groupOf(work, caller, ref)
    requireSameProject(group, port, 'A port and its security groups')
    ids.add(group.id)
  }
  return [...ids]
}

/** The project's group for whatever names none: anything may go out, and members may reach each other. */
export async function defaultGroup(work: Work, projectId: ProjectId): Promise<SecurityGroup> {
  const id = groupIdFor('default', projectId)
  const known = await work.tables.groups.get(id)
  if (known) return known
  const own = { remoteGroupId: id }
  return insertGroup(work, { id, projectId, name: defaultName, description: 'Default security group' }, [
    openRule('egress', 4),
    openRule('egress', 6),
    { ...openRule('ingress', 4), ...own },
    { ...openRule('ingress', 6), ...own },
  ])
}

/** Id of the one group of its kind for a project or container: found without a search, and never made twice. */
export function groupIdFor(kind: 'default' | 'exposed', owner: string): SecurityGroupId {
  const hash = createHash('sha256').update(`security group ${kind} ${owner}`).digest('hex')
  // Version 8 of RFC 9562: the other bits are ours to choose.
  const parts = [
    hash.slice(0, 8),
    hash.slice(8, 12),
    `8${hash.slice(13, 16)}`,
    `8${hash.slice(17, 20)}`,
    hash.slice(20, 32),
  ]
  return parts.join('-') as SecurityGroupId
}

export async function insertGroup(
  work: Work,
  sketch: Pick<SecurityGroup, 'id' | 'projectId' | 'name' | 'description'>,
  rules: readonly RuleBody[],
): Promise<SecurityGroup> {
  const group: SecurityGroup = { ...sketch, rules: [], createdAt: work.clock.now() }
  await work.tables.groups.insert(group)
  const inserted: SecurityGroupRule[] = []
  for (const body of rules) inserted.push(await insertRule(work, group.id, body))
  return { ...group, rules: inserted }
}

export async function insertRule(
  { tables, ids }: Work,
  groupId: SecurityGroupId,
  body: RuleBody,
): Promise<SecurityGroupRule> {
  const rule: SecurityGroupRule = { ...body, id: ids.uuid() as SecurityGroupRuleId, groupId }
  await tables.groups.insertRule(rule)
  return rule
}

async function deleteByHand(work: Work, caller: Caller, ref: string): Promise<void> {
  const group = await groupOf(work, caller, ref)
  if (group.id === groupIdFor('default', group.projectId)) {
    throw conflict('The security group default cannot be deleted; remove rules of it instead.')
  }
  const { length } = await work.tables.ports.ofGroup(group.id)
  if (length > 0) {
    const reason = `${length === 1 ? 'a port is' : `${length} ports are`} in it`
    throw new Fault('network.in-use', { type: 'security group', ref: group.name, reason })
  }
  await deleteGroup(work, group.id)
}

/** Rules of other groups that let it in go with it, as in Neutron. Of a group that no port is in. */
export async function deleteGroup({ tables, touched }: Work, id: SecurityGroupId): Promise<void> {
  const naming = (await tables.groups.naming(id)).filter((other) => other !== id)
  for (const { id: other, rules } of await tables.groups.getMany(naming)) {
    for (const rule of rules) if (rule.remoteGroupId === id) await tables.groups.removeRule(rule)
    touched.groups.add(other)
  }
  const [group] = await tables.groups.getMany([id])
  for (const rule of group?.rules ?? []) await tables.groups.removeRule(rule)
  await tables.groups.remove(id)
  touched.groups.add(id)
}

async function readyDefault(parts: Parts, caller: Caller): Promise<void> {
  if (await hasDefault(parts.store, caller.projectId)) return
  await transact(parts, (work) => defaultGroup(work, caller.projectId))
}

async function hasDefault(tables: Tables, projectId: ProjectId): Promise<boolean> {
  return (await tables.groups.get(groupIdFor('default', projectId))) !== undefined
}
