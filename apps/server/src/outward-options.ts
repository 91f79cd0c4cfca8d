/** What leaves the server by itself (events, notifications, audit), and what is let in of it at most. */
export interface OutwardOptions {
  readonly retention: { readonly eventDays: number; readonly eventRows: number; readonly actionDays: number }
  /** Receivers of webhooks (`HOST`, `HOST:PORT`) and networks that may be connected to although they are not public. */
  readonly webhookAllow: readonly string[]
  /** null: nothing is told to a message broker. */
  readonly notify: NotifyOptions | null
  readonly audit: AuditOptions
  readonly limits: LimitOptions
}

export interface AuditOptions {
  /** A file; `-`: standard output; null: none. */
  readonly log: string | null
  /** How long, and how many, records are kept in the database; 0 days: none. */
  readonly days: number
  readonly rows: number
  /** `members`: of a project may read what is recorded of it. */
  readonly readers: 'administrators' | 'members'
}

export interface NotifyOptions {
  /** `amqp://` or `amqps://`. */
  readonly url: string
  readonly exchange: string
  /** Routing keys are this with `.info` or `.error`. */
  readonly topic: string
  /** How often usage is told, seconds. */
  readonly auditPeriod: number
}

/** Requests a minute; 0: any number. */
export interface LimitOptions {
  readonly perAddress: number
  readonly perProject: number
  readonly changesPerProject: number
  readonly logInsPerAddress: number
  /** Addresses of balancers. */
  readonly trustedProxies: readonly string[]
  /** Requests under way at the same time, streams apart. */
  readonly atOnce: number
  /** Streams open at the same time. */
  readonly streamsAtOnce: number
  /** Connections of one address at the same time. */
  readonly connections: number
  /** Bytes a second of a project's streams on this server, each way; 0: any number. */
  readonly streamRate: number
}

export const outwardFlags = {
  'event-days': { type: 'string', default: '7' },
  'event-rows': { type: 'string', default: '5000000' },
  'action-days': { type: 'string', default: '90' },
  'webhook-allow': { type: 'string', multiple: true, default: [] as string[] },
  notify: { type: 'string' },
  'notify-exchange': { type: 'string', default: 'nova' },
  'notify-topic': { type: 'string', default: 'notifications' },
  'notify-usage-period': { type: 'string', default: '3600' },
  'audit-log': { type: 'string' },
  'audit-days': { type: 'string', default: '30' },
  'audit-rows': { type: 'string', default: '1000000' },
  'audit-readers': { type: 'string', default: 'administrators' },
  'rate-address': { type: 'string', default: '120000' },
  'rate-project': { type: 'string', default: '120000' },
  'rate-changes': { type: 'string', default: '60000' },
  'rate-log-ins': { type: 'string', default: '600' },
  'max-requests': { type: 'string', default: '2000' },
  'max-streams': { type: 'string', default: '4000' },
  'max-connections': { type: 'string', default: '1000' },
  'trusted-proxy': { type: 'string', multiple: true, default: [] as string[] },
  'stream-rate': { type: 'string', default: '0' },
} as const

export const outwardUsage = `  --event-days N, --event-rows N  how long, and how many, events are kept for readers (default: 7 days, 5000000)
  --action-days N            how long the actions of a container outlive it (default: 90)
  --webhook-allow NAME       a receiver of webhooks (HOST or HOST:PORT) or a network (10.0.0.0/8) that may be connected to although
                             it is not public; may be given several times
  --notify URL               a message broker (amqp://USER:PASSWORD@HOST:5672) that is told of containers as OpenStack's services tell
  --notify-exchange NAME, --notify-topic NAME  where there (default: nova, notifications)
  --notify-usage-period S    how often the usage of every container is told, in seconds (default: 3600; 0: never)
  --audit-log FILE           one JSON line for each call that changes something or is refused; - is standard output (default: none)
  --audit-days N, --audit-rows N  how long, and how many, of these calls can be read back (default: 30 days, 1000000; 0 days: none)
  --audit-readers WHO        administrators, or members: those of a project read what is recorded of it (default: administrators)
  --rate-address N           requests a minute from one address but the loopback's (default: 120000; 0: any number;
                             so for all of these)
  --rate-project N           requests a minute of one project, on each server (default: 120000)
  --rate-changes N           of them, those that change something (default: 60000)
  --rate-log-ins N           requests for tokens a minute from one address (default: 600)
  --max-requests N           requests under way at the same time on this server, streams apart (default: 2000)
  --max-streams N            streams (logs, terminals, events, pushes, pulls) under way at the same time (default: 4000); of
                             either, half may be one project's
  --max-connections N        connections from one address at the same time (default: 1000)
  --trusted-proxy ADDRESS    a balancer: who is behind it is known by X-Forwarded-For; may be given several times
  --stream-rate BYTES        bytes a second, each way, of all logs, commands and copies of one project (default: 0: any number)
`

type Values = { readonly [K in Exclude<keyof typeof outwardFlags, Several>]?: string | undefined } & {
  readonly [K in Several]?: readonly string[] | undefined
}
type Several = 'webhook-allow' | 'trusted-proxy'

/** Throws a sentence for the operator. */
export function outwardOptions(values: Values): OutwardOptions {
  const whole = (name: keyof Values & keyof typeof outwardFlags) => {
    const text = String(values[name])
    if (/^\d{1,12}$/.test(text)) return Number(text)
    throw new Error(`--${name} must be a whole number, not ${JSON.stringify(text)}.`)
  }
  return {
    retention: { eventDays: whole('event-days'), eventRows: whole('event-rows'), actionDays: whole('action-days') },
    webhookAllow: values['webhook-allow'] ?? [],
    notify: values.notify === undefined ? null : notifyOf(values, values.notify, whole('notify-usage-period')),
    audit: {
      log: values['audit-log'] ?? null,
      days: whole('audit-days'),
      rows: whole('audit-rows'),
      readers: readersOf(values['audit-readers']),
    },
    limits: {
      perAddress: whole('rate-address'),
      perProject: whole('rate-project'),
      changesPerProject: whole('rate-changes'),
      logInsPerAddress: whole('rate-log-ins'),
      connections: whole('max-connections'),
      atOnce: whole('max-requests'),
      streamsAtOnce: whole('max-streams'),
      trustedProxies: values['trusted-proxy'] ?? [],
      streamRate: whole('stream-rate'),
    },
  }
}

function readersOf(text = 'administrators'): AuditOptions['readers'] {
  if (text === 'administrators' || text === 'members') return text
  throw new Error(`--audit-readers must be administrators or members, not ${JSON.stringify(text)}.`)
}

function notifyOf(values: Values, url: string, auditPeriod: number): NotifyOptions {
  // The text may hold a password: it is not shown.
  if (!/^amqps?:\/\//.test(url) || !URL.canParse(url)) {
    throw new Error('--notify must be amqp://USER:PASSWORD@HOST:PORT/VHOST or amqps://….')
  }
  const { 'notify-exchange': exchange = 'nova', 'notify-topic': topic = 'notifications' } = values
  return { url, exchange, topic, auditPeriod }
}
