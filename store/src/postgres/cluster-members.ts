import type { Log, Member, ServerId } from '@gantry/control'
import { reasonOf } from '@gantry/kernel'
import type { Ask } from './cluster-line.ts'
import { lockClass } from './cluster-leads.ts'

/** Of one server's line: the reaper ends it, so that a server which only stood still lets go of its locks. */
export function lineName(id: ServerId): string {
  return `gantry line ${id}`
}

export interface MemberRows {
  /** Writes it anew, as alive now. A dead one at the same address was an earlier process of ours. */
  join(ask: Ask, self: Omit<Member, 'seenAt'>): Promise<void>
  /** The database's time; null: others have taken it for dead. */
  beat(ask: Ask): Promise<number | null>
  leave(ask: Ask): Promise<void>
  /** Those that have not left; of one that died without a word only until it is reaped. */
  alive(ask: Ask): Promise<Member[]>
  /**
   * Does what is to be done for each that has left (or, with `silent`, was not heard of for too long), unless another server is at it,
   * and forgets it. Answers whether there was any.
   */
  reap(ask: Ask, silent: boolean, end: (id: ServerId) => Promise<void>): Promise<boolean>
}

/** Whatever the clocks of servers say: one clock judges all of them. */
const now = '(extract(epoch from clock_timestamp()) * 1000)::bigint'

export function memberRows(self: ServerId, deadMs: number, log: Log): MemberRows {
  const columns = 'id, name, peer, agents, version, started_at, seen_at'
  const reapOne = async (ask: Ask, id: ServerId, end: (id: ServerId) => Promise<void>): Promise<boolean> => {
    const key = [lockClass, `reap ${id}`]
    const { rows } = await ask('select pg_try_advisory_lock($1, hashtext($2)) as mine', key)
    if (rows[0]?.mine !== true) return false
    try {
      const dead = await ask(`select 1 from servers where id = $1 and seen_at < ${now} - $2`, [id, deadMs])
      if (dead.rowCount === 0) return false
      await ask('select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1', [lineName(id)])
      await end(id)
      await ask('delete from servers where id = $1', [id])
      log.warn({ server: id }, 'a server is gone; what it had begun was taken over')
      return true
    } finally {
      await ask('select pg_advisory_unlock($1, hashtext($2))', key)
    }
  }
  return {
    async join(ask, { id, name, peer, agents, version, startedAt }) {
      await ask('update servers set seen_at = 0 where peer = $1 and id <> $2', [peer, id])
      await ask(
        `insert into servers (${columns}) values ($1, $2, $3, $4, $5, $6, ${now})
         on conflict (id) do update set seen_at = excluded.seen_at`,
        [id, name, peer, agents, version, startedAt],
      )
    },
    async beat(ask) {
      const { rows } = await ask(`update servers set seen_at = ${now} where id = $1 returning seen_at`, [self])
      return rows[0] ? Number(rows[0].seen_at) : null
    },
    async leave(ask) {
      await ask('update servers set seen_at = 0 where id = $1', [self])
    },
    async alive(ask) {
      const { rows } = await ask(`select ${columns} from servers where seen_at > 0 order by started_at, id`)
      return rows.map(fromRow)
    },
    async reap(ask, silent, end) {
      const dead = silent ? `seen_at < ${now} - ${deadMs}` : 'seen_at = 0'
      const { rows } = await ask(`select id from servers where ${dead} and id <> $1`, [self])
      let some = false
      for (const { id } of rows) {
        const isReaped = await reapOne(ask, id, end).catch((error: unknown) => {
          log.error({ server: id, reason: reasonOf(error) }, 'what a dead server left is not ended yet')
          return false
        })
        some ||= isReaped
      }
      return some
    },
  }
}

type ServerRow = Pick<Member, 'id' | 'name' | 'peer' | 'agents' | 'version'> & Record<'started_at' | 'seen_at', unknown>

function fromRow({ started_at, seen_at, ...rest }: ServerRow): Member {
  return { ...rest, startedAt: Number(started_at), seenAt: Number(seen_at) }
}
