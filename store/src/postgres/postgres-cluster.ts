import type { Cluster, Log, Member, Note, ServerId } from '@gantry/control'
import { reasonOf } from '@gantry/kernel'
import { leads } from './cluster-leads.ts'
import { type Ask, clusterLine } from './cluster-line.ts'
import { lineName, memberRows } from './cluster-members.ts'
import { type Letter, noteSender } from './cluster-notes.ts'

export interface PostgresClusterOptions {
  readonly url: string
  readonly self: Pick<Member, 'id' | 'name' | 'version' | 'startedAt'>
  readonly log: Log
  /** Between two signs of life, and how old the last one of a dead server is. Milliseconds. */
  readonly beatMs?: number
  readonly deadMs?: number
  readonly pauseMs?: number
}

export interface PostgresCluster extends Cluster, AsyncDisposable {
  /** From now on the others know of this server, and where to reach it. */
  join(at: Pick<Member, 'peer' | 'agents'>): Promise<void>
}

/**
 * How long this server's signs of life have reached the database without a break. Only then may it take another for dead: after an
 * outage of the database, or a step of its clock, all would look so.
 */
function steadiness(deadMs: number) {
  let since = performance.now()
  let last = { at: performance.now(), seenAt: null as number | null }
  let lapsed = false
  return {
    beaten(at: number, seenAt: number | null) {
      const isBreak = at - last.at > deadMs / 2
      const isStep =
        seenAt !== null && last.seenAt !== null && Math.abs(seenAt - last.seenAt - (at - last.at)) > deadMs / 4
      if (isBreak || isStep) since = performance.now()
      last = { at, seenAt }
      lapsed = false
    },
    isSteady: () => performance.now() - since >= deadMs,
    /** Once for each break. */
    hasLapsed() {
      if (lapsed || performance.now() - last.at < (deadMs * 3) / 5) return false
      lapsed = true
      return true
    },
  }
}

const channel = 'gantry'

/**
 * Servers that share a PostgreSQL: they tell each other by NOTIFY, take turns by advisory locks, and know of each other from table
 * `servers`. The schema must be up to date. Rejects if the database cannot be reached.
 */
export async function postgresCluster(options: PostgresClusterOptions): Promise<PostgresCluster> {
  const { self, log, beatMs = 5_000, deadMs = 20_000 } = options
  const noteHeard: ((note: Note, from: ServerId) => void)[] = []
  const missedHeard: (() => void)[] = []
  const lapsedHeard: (() => void)[] = []
  const lostHeard: ((id: ServerId) => Promise<void>)[] = []
  const sender = noteSender(self.id, channel)
  const turns = leads(log, options.pauseMs)
  const rows = memberRows(self.id, deadMs, log)
  let joined: Omit<Member, 'seenAt'> | null = null
  let ask: Ask | null = null
  /** Those that hear us, as of the last look. Nothing is told while there is nobody. */
  let others = 0
  let beating: Promise<void> = Promise.resolve()
  const pulse = steadiness(deadMs)
  let closed = false

  const missed = () => {
    for (const heard of missedHeard) heard()
  }
  const end = async (id: ServerId) => {
    for (const heard of lostHeard) await heard(id)
  }
  /** The others look who is there, so that they tell us what happens from then on, and that we missed what was before. */
  const arrive = async (line: Ask, self: Omit<Member, 'seenAt'>): Promise<void> => {
    await rows.join(line, self)
    sender.say({ changed: true })
  }
  const look = async (): Promise<void> => {
    if (ask === null || joined === null || closed) return
    const line = ask
    const begun = performance.now()
    const seenAt = await rows.beat(line)
    pulse.beaten(begun, seenAt)
    if (seenAt === null) {
      log.warn({}, 'the other servers took this one for dead')
      await arrive(line, joined)
      missed()
    }
    const isReaped = await rows.reap(line, pulse.isSteady(), end)
    const before = others
    others = (await rows.alive(line)).length - 1
    // What happened here since they came was told to nobody.
    if (before === 0 && others > 0) sender.say({ missed: true })
    if (!isReaped) return
    sender.say({ missed: true })
    missed()
  }
  /** One at a time: a look that takes long because much is to be ended is not begun again meanwhile. */
  const lookSoon = (): Promise<void> => {
    beating = beating.then(look).catch((error: unknown) => {
      if (!closed) log.warn({ reason: reasonOf(error) }, 'no sign of life written')
    })
    return beating
  }
  const timer = setInterval(() => {
    if (joined && pulse.hasLapsed()) for (const heard of lapsedHeard) heard()
    void lookSoon()
  }, beatMs)
  timer.unref()

  const take = ({ from, notes = [], missed: isMissed, changed }: Letter): void => {
    if (from === self.id) return
    for (const note of notes) for (const heard of noteHeard) heard(note, from)
    if (isMissed) missed()
    if (changed) void lookSoon()
  }
  const line = clusterLine({
    url: options.url,
    name: lineName(self.id),
    channel,
    log,
    up(fresh, gone, isFirst) {
      ask = fresh
      gone.addEventListener('abort', () => {
        if (ask !== fresh) return
        ask = null
        sender.use(null)
      })
      sender.use(fresh)
      turns.use(fresh, gone)
      if (isFirst) return
      void lookSoon()
      missed()
    },
    heard(payload) {
      try {
        take(JSON.parse(payload) as Letter)
      } catch (error) {
        log.error({ reason: reasonOf(error) }, 'a note of another server could not be taken')
      }
    },
  })
  try {
    await line.begun
  } catch (error) {
    clearInterval(timer)
    throw error
  }

  return {
    self: self.id,
    async join(at) {
      if (ask === null) throw new Error('The database cannot be reached.')
      joined = { ...self, ...at }
      await arrive(ask, joined)
      await lookSoon()
    },
    tell(note) {
      if (others > 0) sender.send(note)
    },
    onNote: (heard) => void noteHeard.push(heard),
    onMissed: (heard) => void missedHeard.push(heard),
    onLost: (heard) => void lostHeard.push(heard),
    onLapsed: (heard) => void lapsedHeard.push(heard),
    lead: (name, work) => turns.lead(name, work),
    inTurn: (name, work) => turns.inTurn(name, work),
    ifFree: (name, work) => turns.ifFree(name, work),
    async members() {
      if (ask === null) throw new Error('The database cannot be reached.')
      return rows.alive(ask)
    },
    async [Symbol.asyncDispose]() {
      closed = true
      clearInterval(timer)
      await turns.close()
      await beating
      if (joined && ask) {
        await rows.leave(ask).catch(() => undefined)
        sender.say({ changed: true })
      }
      await sender.flush()
      await line.close()
    },
  }
}
