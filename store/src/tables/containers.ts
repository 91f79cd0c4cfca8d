import type { ContainerCounts, ContainerQuery, ContainerSortKey, ContainerTable, Health, Scope } from '@gantry/control'
import { Fault } from '@gantry/kernel'
import type { Container, ContainerId, HostId, ProjectId } from '@gantry/model'
import { type ExpressionBuilder, type Kysely, type RawBuilder, type SelectQueryBuilder, sql } from 'kysely'
import type { ContainerRow, Database } from '../database.ts'
import { containerColumns, fromRow, toRow, wholeRow } from './container-row.ts'
import { holdingsOf } from './holdings.ts'
import { givenRows, insertNumbered } from './many-rows.ts'
import { nextSeq } from './next-seq.ts'
import { isOneOf } from './one-of.ts'
import { hostUsage, projectUsage } from './usage.ts'

export function containerTable(db: Kysely<Database>): ContainerTable {
  return {
    async insert(container) {
      const row = { ...toRow(container), seq: nextSeq(db, 'containers') }
      await db.insertInto('containers').values(row).execute()
    },
    async insertMany(containers) {
      // All columns in each row, so that all rows have the same.
      await insertNumbered(db, 'containers', containers.map(wholeRow))
    },
    async get(id) {
      const row = await db.selectFrom('containers').selectAll().where('id', '=', id).executeTakeFirst()
      return row && fromRow(row)
    },
    async getMany(ids) {
      if (ids.length === 0) return []
      const given = isOneOf(db, 'id', ids)
      const rows = await db.selectFrom('containers').selectAll().where(given).orderBy('seq').execute()
      return rows.map(fromRow)
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
    counts: (scope) => counts(db, scope),
    async update(id, change) {
      await db.updateTable('containers').set(containerColumns(change)).where('id', '=', id).execute()
    },
    observe: (seen) => observe(db, seen),
    async projectsOf(ids) {
      if (ids.length === 0) return new Map()
      const given = isOneOf(db, 'id', ids)
      const rows = await db.selectFrom('containers').select(['id', 'project_id']).where(given).execute()
      return new Map(rows.map(({ id, project_id }) => [id as ContainerId, project_id as ProjectId]))
    },
    async remove(id) {
      await db.deleteFrom('containers').where('id', '=', id).execute()
    },
    place: (placed) => place(db, placed),
    async neighbours(projectId) {
      const rows = await db
        .selectFrom('containers')
        .select(['id', 'name', 'image', 'spec', 'host_id'])
        .where('project_id', '=', projectId)
        .where('host_id', 'is not', null)
        .orderBy('seq')
        .execute()
      return rows.map(({ id, name, image, spec, host_id }) => {
        const { labels } = JSON.parse(spec) as Pick<Container['spec'], 'labels'>
        return { id, name, image, labels, hostId: host_id as HostId }
      })
    },
    async ofHost(hostId) {
      const rows = await db.selectFrom('containers').selectAll().where('host_id', '=', hostId).execute()
      return rows.map(fromRow)
    },
    async holdings(hostId) {
      const [digest] = await holdingsOf(db, [hostId])
      return digest ?? null
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
    usageOfProject: (projectId) => projectUsage(db, projectId),
    usageOfHost: (hostId) => hostUsage(db, hostId),
  }
}

async function place(db: Kysely<Database>, placed: Parameters<ContainerTable['place']>[0]): Promise<void> {
  if (placed.length === 0) return
  const rows = placed.map(({ id, hostId, hostName, lease }) => ({
    id,
    host_id: hostId,
    host_name: hostName,
    lease: lease ?? null,
  }))
  const given = givenRows(db, 'containers', ['id', 'host_id', 'host_name', 'lease'], rows)
  await sql`
    update containers set host_id = given.host_id, host_name = given.host_name, lease = given.lease, moving = null
    from ${given} as given where containers.id = given.id and containers.host_id is null
  `.execute(db)
}

async function observe(db: Kysely<Database>, seen: Parameters<ContainerTable['observe']>[0]): Promise<void> {
  if (seen.length === 0) return
  const columns = ['observed', 'seen_generation', 'host_lost', 'updated_at', 'task', 'status', 'status_reason']
  const rows = seen.map(({ id, ...change }) => ({ id, ...containerColumns(change) }))
  const given = givenRows(db, 'containers', ['id', ...columns], rows)
  const set = columns.map((column) => sql`${sql.ref(column)} = given.${sql.ref(column)}`)
  await sql`update containers set ${sql.join(set)} from ${given} as given where containers.id = given.id`.execute(db)
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

/** Compact JSON has this nowhere but where it is meant: in a text the quotes would be escaped. */
function saysHealth(health: Health): RawBuilder<boolean> {
  return sql<boolean>`observed like ${`%"health":"${health}"%`}`
}

async function counts(db: Kysely<Database>, scope: Scope): Promise<ContainerCounts> {
  const rows = await db
    .selectFrom('containers')
    .select(['status', sql<number>`count(*)`.as('count')])
    .select(
      sql<number>`sum(case when status = 'Running' and ${saysHealth('unhealthy')} then 1 else 0 end)`.as('unhealthy'),
    )
    .where('capsule_id', 'is', null)
    .$if(scope !== null, (query) => query.where('project_id', '=', scope as string))
    .groupBy('status')
    .execute()
  return {
    byStatus: Object.fromEntries(rows.map(({ status, count }) => [status, count])),
    unhealthy: rows.reduce((sum, { unhealthy }) => sum + unhealthy, 0),
  }
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
    ['host_id', filters.hostId],
    ['task', filters.task],
    ['status', filters.status],
    ['auto_remove', filters.autoRemove === undefined ? undefined : Number(filters.autoRemove)],
  ]
  const { health } = filters
  const healthy = health === undefined ? select : select.where(saysHealth(health))
  return healthy.where((eb: ExpressionBuilder<Database, 'containers'>) =>
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
