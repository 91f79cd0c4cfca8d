import type { HostUsage } from '@gantry/model'
import type { Kysely } from 'kysely'
import type { Database } from '../database.ts'

export const nothing: HostUsage = { containers: 0, cpu: 0, memory: 0, disk: 0 }

const columns = ['containers', 'cpu', 'memory', 'disk'] as const

export async function projectUsage(db: Kysely<Database>, id: string): Promise<HostUsage> {
  const row = await db.selectFrom('project_usage').select(columns).where('project_id', '=', id).executeTakeFirst()
  return usageOf(row)
}

export async function hostUsage(db: Kysely<Database>, id: string): Promise<HostUsage> {
  const row = await db.selectFrom('host_usage').select(columns).where('host_id', '=', id).executeTakeFirst()
  return usageOf(row)
}

/** Of all; or of those that were written by that transaction or a later one. */
export async function usageOfHosts(db: Kysely<Database>, since?: number): Promise<Map<string, HostUsage>> {
  const all = db.selectFrom('host_usage').selectAll()
  const rows = await (since === undefined ? all : all.where('touched', '>=', since)).execute()
  return new Map(rows.map((row) => [row.host_id, usageOf(row)]))
}

function usageOf(row: HostUsage | undefined): HostUsage {
  if (!row) return nothing
  const { containers, cpu, memory, disk } = row
  return { containers, cpu: cpu / 1e6, memory, disk }
}
