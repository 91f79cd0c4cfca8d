import type { AuditPageView, AuditRecordView } from '@gantry/facade-native'
import { type Command, InvalidArgumentError } from 'commander'
import type { Api } from '../client/api.ts'
import { finish, wantsJson, wholeNumber, withApi } from './common.ts'

interface AuditOptions {
  readonly project?: string
  readonly user?: string
  readonly action?: string
  readonly outcome?: string
  readonly since?: string
  readonly until?: string
  readonly limit: number
}

/** A page is as much as the server gives at once. */
const pageSize = 500

export function auditCommand(program: Command): void {
  const audit: Command = program
    .command('audit')
    .description('list what was called, by whom, and what was answered, newest first (administrators)')
    .option('--project <project>', 'only by those of this project')
    .option('--user <user>', 'only by this user: name or id')
    .option('--action <action>', "only this: delete, update/stop, or 'update*'")
    .option('--outcome <outcome>', 'only success, failure, pending (accepted) or unknown')
    .option('--since <time>', 'nothing older: 2026-11-29T13:00:00Z, or 90s, 15m, 6h, 7d ago', timeOf)
    .option('--until <time>', 'nothing newer', timeOf)
    .option('--limit <number>', 'at most so many', wholeNumber, 100)
    .action(async (options: AuditOptions) => {
      const records = await withApi(audit, (api) => readAudit(api, options))
      const { printJson, printTable } = await import('../output/print.ts')
      if (wantsJson(audit)) return printJson(records)
      await printTable(records, [
        { title: 'TIME', value: ({ eventTime }) => eventTime },
        { title: 'WHO', value: whoOf, shrink: 2 },
        { title: 'FROM', value: ({ initiator }) => initiator.host.address, shrink: 4 },
        { title: 'WHAT', value: ({ action }) => action },
        { title: 'ON', value: ({ requestPath }) => requestPath, shrink: 1 },
        { title: 'OUTCOME', value: ({ outcome, reason }) => `${outcome} (${reason.reasonCode})` },
        { title: 'REQUEST', value: ({ id }) => id, shrink: 5 },
      ])
    })
  finish(audit, { json: true }, [
    { line: 'gantry audit --outcome failure --since 1h', about: 'what was refused or failed in the last hour' },
    { line: 'gantry audit --user ann --action delete', about: 'what she deleted' },
    { line: "gantry audit --json | jq '.[].initiator'", about: 'whole records, in the terms of CADF' },
  ])
}

async function readAudit(api: Api, options: AuditOptions): Promise<AuditRecordView[]> {
  const { project, user, action, outcome, since, until, limit } = options
  const filters = { project, user, action, outcome, since, until }
  const records: AuditRecordView[] = []
  let marker: string | undefined
  do {
    const query = { ...filters, limit: Math.min(pageSize, limit - records.length), marker }
    if (query.limit === 0) break
    const page = await api.json<AuditPageView>({ path: '/v1/audit', query })
    records.push(...page.records)
    marker = page.next ?? undefined
  } while (marker !== undefined && records.length < limit)
  return records
}

function whoOf({ initiator: { id, name } }: AuditRecordView): string {
  return name ?? id
}

/** As the server takes it: a time, or how long ago. */
function timeOf(text: string): string {
  const [, count, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
  const seconds = new Map([
    ['s', 1],
    ['m', 60],
    ['h', 3600],
    ['d', 86_400],
  ]).get(unit)
  const time = seconds === undefined ? Date.parse(text) : Date.now() - Number(count) * seconds * 1000
  if (Number.isNaN(time)) throw new InvalidArgumentError('Write it as 2026-11-29T13:00:00Z, or as 90s, 15m, 6h or 7d.')
  return new Date(time).toISOString()
}
