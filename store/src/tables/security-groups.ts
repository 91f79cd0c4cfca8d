import type { NetworkTables } from '@gantry/control'
import type {
  IpVersion,
  ProjectId,
  SecurityGroup,
  SecurityGroupId,
  SecurityGroupRule,
  SecurityGroupRuleId,
} from '@gantry/model'
import type { Kysely } from 'kysely'
import { atomically } from '../atomically.ts'
import { type Columns, count, number, text } from '../columns.ts'
import type { Database } from '../database.ts'
import { agedRows } from './aged-rows.ts'

type BareGroup = Omit<SecurityGroup, 'rules'>

const columns: Columns<BareGroup> = {
  id: text<SecurityGroupId>('id'),
  projectId: text<ProjectId>('project_id'),
  name: text('name'),
  description: text('description'),
  createdAt: number('created_at'),
}

const ruleColumns: Columns<SecurityGroupRule> = {
  id: text<SecurityGroupRuleId>('id'),
  groupId: text<SecurityGroupId>('group_id'),
  direction: text<SecurityGroupRule['direction']>('direction'),
  version: { name: 'version', write: (value) => value, read: (cell) => Number(cell) as IpVersion },
  protocol: text<string | null>('protocol'),
  portMin: count('port_min'),
  portMax: count('port_max'),
  remoteGroupId: text<SecurityGroupId | null>('remote_group_id'),
  remotePrefix: text<string | null>('remote_prefix'),
}

const rulesOf = (db: Kysely<Database>) => agedRows(db, { table: 'security_group_rules', columns: ruleColumns })

export function securityGroupTable(db: Kysely<Database>): NetworkTables['groups'] {
  const rows = agedRows(db, { table: 'security_groups', columns })
  const rules = rulesOf(db)
  const whole = async (bare: readonly BareGroup[]): Promise<SecurityGroup[]> => {
    const found = await rules.whereIn(
      'groupId',
      bare.map(({ id }) => id),
    )
    const byGroup = Map.groupBy(found, ({ groupId }) => groupId)
    return bare.map((group) => ({ ...group, rules: byGroup.get(group.id) ?? [] }))
  }
  return {
    insert: ({ rules, ...bare }) =>
      atomically(db, async (db) => {
        await agedRows(db, { table: 'security_groups', columns }).insert(bare)
        for (const rule of rules) await rulesOf(db).insert(rule)
      }),
    async get(id) {
      const bare = await rows.get(id)
      return bare && (await whole([bare]))[0]
    },
    getMany: async (ids) => whole(await rows.whereIn('id', ids)),
    list: async (projectId) => whole(await rows.where(projectId === null ? {} : { projectId })),
    remove: (id) => rows.remove(id),
    countOf: (projectId) => rows.count({ projectId }),
    insertRule: (rule) => rules.insert(rule),
    getRule: (id) => rules.get(id),
    removeRule: ({ id }) => rules.remove(id),
    async naming(id) {
      const found = await rules.where({ remoteGroupId: id })
      return [...new Set(found.map(({ groupId }) => groupId))]
    },
  }
}
