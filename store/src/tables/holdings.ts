import { createHash } from 'node:crypto'
import type { HostId } from '@gantry/model'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Database } from '../database.ts'
import { isPostgres } from '../locks.ts'
import { isOneOf } from './one-of.ts'

/**
 * What stands for all containers of each host, as `holdingsDigest` of the wire makes it of what an agent holds: so the rows need not
 * be read for a host that comes back with nothing new. null where one is only to be judged by itself: its host was lost, it moves,
 * has a lease or is in a capsule.
 */
export async function holdingsOf(db: Kysely<Database>, hosts: readonly HostId[]): Promise<(string | null)[]> {
  const each = sha256(db, sql`wish || nics || mounts || observed`)
  const { rows } = await sql<{ host_id: string; digest: string; special: number }>`
    select host_id, ${sha256(db, sql`string_agg(id || ' ' || ${each}, '' order by id)`)} as digest,
      max(case when host_lost = 0 and moving is null and lease is null and capsule_id is null then 0 else 1 end) as special
    from containers where ${isOneOf(db, 'host_id', hosts)} group by host_id
  `.execute(db)
  const found = new Map(rows.map(({ host_id, digest, special }) => [host_id, special === 1 ? null : digest]))
  return hosts.map((host) => (found.has(host) ? (found.get(host) ?? null) : ofNothing))
}

const ofNothing = createHash('sha256').digest('hex')

/** In hexadecimal digits. SQLite has the function from `sqliteDriver`. */
function sha256<D>(db: Kysely<D>, text: RawBuilder<unknown>): RawBuilder<string> {
  if (!isPostgres(db)) return sql<string>`sha256_hex(${text})`
  return sql<string>`encode(sha256(convert_to(${text}, 'UTF8')), 'hex')`
}
