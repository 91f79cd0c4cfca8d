import type { ContainerQuery, ContainerSortKey, ContainerTable, Scope } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { Container, ContainerId, HostId, HostUsage } from '@gantry/model'
import { type ExpressionBuilder, type Kysely, type SelectQueryBuilder, sql } from 'kysely'
import type { ContainerRow, Database } from '../database.ts'
import { containerColumns, fromRow, toRow } from './container-row.ts'
import { nextSeq } from './next-seq.ts'

export function containerTable(db: Kysely<Database>): ContainerTable {
  return {
    async insert(container) {
      const row = { ...toRow(container), seq: nextSeq('containers') }
      await db.insertInto('containers').values(row).execute()
    },
    async get(id) {
      const row = await db.selectFrom('containers').selectAll().where('id', '=', id).executeTakeFirst()
      return row && fromRow(row)
    },
    find: (scope, ref) => find(db, scope, ref),
    async withIdPrefix(project, digits) {
      const [from, to] = idRange(digits)
      const rows = await db
        .selectFrom('containers')
        .selectAll()
        .where('project_id', '=', project)
        .where('id', '>=', from)
        .where('id', '<', to)
        .where('capsule_id', 'is', null)
        .limit(2)
        .execute()
      return rows.map(fromRow)
    },
    list: (scope, query) => list(db, scope, query),
    async update(id, change) {
      await db.updateTable('containers').set(containerColumns(change)).where('id', '=', id).execute()
    },
    async remove(id) {
      await db.deleteFrom('containers').where('id', '=', id).execute()
    },
    async ofHost(hostId) {
      const rows = await db.selectFrom('containers').selectAll().where('host_id', '=', hostId).execute()
      return rows.map(fromRow)
    },
    async unplaced() {
      const rows = await db
        .selectFrom('containers')
        .selectAll()
        .where('host_id', 'is', null)
        .where('placement_failure', 'is', null)
        .where((eb) => eb.or([eb('capsule_id', 'is', null), eb('capsule_role', '=', 'sandbox')]))
        .orderBy('seq')
        .execute()
      return rows.map(fromRow)
    },
    usageOfProject: (projectId) => usage(db, 'project_id', projectId),
    async usageOfHost(hostId) {
      return usage(db, 'host_id', hostId)
    },
  }
}

async function find(db: Kysely<Database>, scope: Scope, ref: string): Promise<Container[]> {
  const scoped = db
    .selectFrom('containers')
    .selectAll()
    .$if(scope !== null, (query) => query.where('project_id', '=', scope as string))
  const byId = await scoped.where('id', '=', ref).executeTakeFirst()
  if (byId) return [fromRow(byId)]
  const rows = await scoped.where('name', '=', ref).where('capsule_id', 'is', null).limit(2).execute()
  return rows.map(fromRow)
}

/** The ids, as they are written, that begin with the digits; `g` is the next after every hex digit. */
function idRange(digits: string): [string, string] {
  const written = [
    digits.slice(0, 8),
    digits.slice(8, 12),
    digits.slice(12, 16),
    digits.slice(16, 20),
    digits.slice(20, 32),
  ]
  const from = written.filter((part) => part !== '').join('-')
  return [from, `${from}g`]
}

/** Column (or expression) behind each public sort key; null sorts as empty. */
const sortColumns: Record<ContainerSortKey, keyof ContainerRow> = {
  id: 'seq',
  uuid: 'id',
  name: 'name',
  image: 'image',
  status: 'status',
  cpu: 'cpu',
  memory: 'memory',
  disk: 'disk',
  created_at: 'created_at',
  updated_at: 'updated_at',
  host: 'host_name',
  project_id: 'project_id',
  user_id: 'user_id',
  task_state: 'task',
  auto_remove: 'auto_remove',
}
const nullable: readonly (keyof ContainerRow)[] = ['host_name', 'task']

async function list(db: Kysely<Database>, scope: Scope, query: ContainerQuery): Promise<Container[]> {
  const column = sortColumns[query.sortKey]
  const key = nullable.includes(column)
    ? sql<string>`coalesce(${sql.ref(column)}, '')`
    : sql<string>`${sql.ref(column)}`
  const direction = query.descending ? 'desc' : 'asc'
  let select = db
    .selectFrom('containers')
    .selectAll()
    .where('capsule_id', 'is', null)
    .orderBy(key, direction)
    .orderBy('seq', direction)
    .limit(query.limit)
  if (scope !== null) select = select.where('project_id', '=', scope)
  select = filtered(select, query)
  if (query.marker !== null) {
    const after = await markerOf(db, scope, query.marker, column)
    const than = query.descending ? sql`<` : sql`>`
    select = select.where(sql<boolean>`(${key}, seq) ${than} (${after.key}, ${after.seq})`)
  }
  const rows = await select.execute()
  return rows.map(fromRow)
}

function filtered<O>(
  select: SelectQueryBuilder<Database, 'containers', O>,
  { filters }: ContainerQuery,
): SelectQueryBuilder<Database, 'containers', O> {
  const wanted: [keyof ContainerRow, string | number | null | undefined][] = [
    ['name', filters.name],
    ['image', filters.image],
    ['project_id', filters.projectId],
    ['user_id', filters.userId],
    ['memory', filters.memory],
    ['host_name', filters.host],
    ['task', filters.task],
    ['status', filters.status],
    ['auto_remove', filters.autoRemove === undefined ? undefined : Number(filters.autoRemove)],
  ]
  return select.where((eb: ExpressionBuilder<Database, 'containers'>) =>
    eb.and(
      wanted.flatMap(([column, value]) =>
        value === undefined ? [] : [eb(column, value === null ? 'is' : '=', value)],
      ),
    ),
  )
}

async function markerOf(db: Kysely<Database>, scope: Scope, marker: ContainerId, column: keyof ContainerRow) {
  const row = await db
    .selectFrom('containers')
    .selectAll()
    .where('id', '=', marker)
    .where('capsule_id', 'is', null)
    .$if(scope !== null, (query) => query.where('project_id', '=', scope as string))
    .executeTakeFirst()
  if (!row) throw new Fault('container.not-found', { ref: marker })
  return { key: row[column] ?? '', seq: row.seq }
}

/** A capsule's sandbox holds its share of the host, but nobody asked for it as a container. */
export const countWithoutSandboxes = sql<number>`coalesce(sum(case capsule_role when 'sandbox' then 0 else 1 end), 0)`

async function usage(db: Kysely<Database>, owner: 'project_id' | 'host_id', id: string | HostId): Promise<HostUsage> {
  const sums = await db
    .selectFrom('containers')
    .select([
      countWithoutSandboxes.as('containers'),
      sql<number>`coalesce(sum(cpu), 0)`.as('cpu'),
      sql<number>`coalesce(sum(memory), 0)`.as('memory'),
      sql<number>`coalesce(sum(disk), 0)`.as('disk'),
    ])
    .where(owner, '=', id)
    .executeTakeFirstOrThrow()
  // Sums of fractions of cores: 0.1 + 0.2 must show as 0.3.
  return { ...sums, cpu: Math.round(sums.cpu * 1e6) / 1e6 }
}
