import { type Kysely, type RawBuilder, sql } from 'kysely'
import { isPostgres } from '../locks.ts'
import { createTable } from './create-table.ts'

/**
 * What hosts and projects have promised, kept by triggers: whoever asks reads one row, however many containers there are, and no code
 * can forget to count. Cores are in millionths, so that sums are exact.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const counts = { containers: 'bigint', cpu: 'bigint', memory: 'bigint', disk: 'bigint' } as const
  await createTable(db, { name: 'project_usage', columns: { project_id: 'text', ...counts }, key: ['project_id'] })
  await createTable(db, { name: 'host_usage', columns: { host_id: 'text', ...counts }, key: ['host_id'] })
  for (const owner of owners) await add(owner, sql`containers`, sql`1`).execute(db)
  await (isPostgres(db) ? countInPostgres(db) : countInSqlite(db))
  await sql`create index containers_unplaced on containers (seq) where host_id is null and placement_failure is null`.execute(
    db,
  )
}

type Owner = 'project' | 'host'
const owners: readonly Owner[] = ['project', 'host']

/** Adds (sign 1) or takes away (-1) what the rows of `from` say, in the order of the owners: two writers never wait for each other. */
function add(owner: Owner, from: RawBuilder<unknown>, sign: RawBuilder<unknown>): RawBuilder<unknown> {
  const id = sql.ref(`${owner}_id`)
  const table = sql.table(`${owner}_usage`)
  const columns = ['containers', 'cpu', 'memory', 'disk']
  const more = columns.map(
    (column) => sql`${sql.ref(column)} = ${table}.${sql.ref(column)} + excluded.${sql.ref(column)}`,
  )
  return sql`insert into ${table} (${id}, containers, cpu, memory, disk)
    select * from (
      select ${id}, sum(${sign} * case capsule_role when 'sandbox' then 0 else 1 end) as containers,
        cast(sum(${sign} * round(cpu * 1000000)) as bigint) as cpu, sum(${sign} * memory) as memory, sum(${sign} * disk) as disk
      from ${from} where ${id} is not null group by ${id} order by ${id}
    ) as sums where containers <> 0 or cpu <> 0 or memory <> 0 or disk <> 0
    on conflict (${id}) do update set ${sql.join(more)}`
}

/** Once a statement, however many rows it touches. */
async function countInPostgres(db: Kysely<unknown>): Promise<void> {
  const both = sql`(select 1 as sign, * from now_there union all select -1 as sign, * from was_there) as changed`
  const bodies = {
    insert: [sql`now_there`, sql`1`],
    delete: [sql`was_there`, sql`-1`],
    update: [both, sql`sign`],
  } as const
  const tables = {
    insert: sql`new table as now_there`,
    delete: sql`old table as was_there`,
    update: sql`old table as was_there new table as now_there`,
  } as const
  for (const event of ['insert', 'delete', 'update'] as const) {
    const [from, sign] = bodies[event]
    const name = sql.ref(`count_${event}`)
    const body = sql`begin ${add('project', from, sign)}; ${add('host', from, sign)}; return null; end`
    await sql`create function ${name}() returns trigger language plpgsql as $count$ ${body} $count$`.execute(db)
    await sql`create trigger ${name} after ${sql.raw(event)} on containers referencing ${tables[event]}
      for each statement execute function ${name}()`.execute(db)
  }
}

async function countInSqlite(db: Kysely<unknown>): Promise<void> {
  const row = (which: 'new' | 'old') => {
    const columns = ['project_id', 'host_id', 'capsule_role', 'cpu', 'memory', 'disk']
    return sql`(select ${sql.join(columns.map((column) => sql`${sql.raw(which)}.${sql.ref(column)} as ${sql.ref(column)}`))}) as changed`
  }
  const count = (which: 'new' | 'old', sign: number) =>
    sql.join(
      owners.map((owner) => sql`${add(owner, row(which), sql.lit(sign))};`),
      sql` `,
    )
  await sql`create trigger count_insert after insert on containers begin ${count('new', 1)} end`.execute(db)
  await sql`create trigger count_delete after delete on containers begin ${count('old', -1)} end`.execute(db)
  await sql`create trigger count_update after update of project_id, host_id, capsule_role, cpu, memory, disk on containers
    begin ${count('old', -1)} ${count('new', 1)} end`.execute(db)
}
