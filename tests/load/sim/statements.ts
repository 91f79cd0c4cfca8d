import pg from 'pg'

/** The statements that kept PostgreSQL busy for longest since this was asked last, a line each. For a profile: it counts each call of each. */
export async function costliest(url: string, most = 16): Promise<string[]> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => undefined)
  await client.connect()
  try {
    await client.query('create extension if not exists pg_stat_statements')
    const { rows } = await client.query<{ query: string; calls: string; ms: number; rows: string }>(
      `select query, calls, rows, total_plan_time + total_exec_time as ms from pg_stat_statements
       order by ms desc limit $1`,
      [most],
    )
    await client.query('select pg_stat_statements_reset()')
    return rows.map(({ query, calls, ms, rows: touched }) => {
      const text = query.replaceAll(/\s+/g, ' ').slice(0, 140)
      return `${ms.toFixed(0).padStart(7)} ms, ${calls} calls, ${touched} rows: ${text}`
    })
  } finally {
    await client.end()
  }
}
