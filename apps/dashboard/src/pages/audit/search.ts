/** What the page Audit is asked for, kept in the address so that it can be shared. Times are ISO 8601. */
export interface AuditSearch {
  readonly project?: string
  readonly user?: string
  readonly action?: string
  readonly outcome?: string
  readonly since?: string
  readonly until?: string
}

const fields = ['project', 'user', 'action', 'outcome', 'since', 'until'] as const
export const outcomes = ['success', 'failure', 'pending', 'unknown'] as const

/** Whatever stands in the address: what is empty or not known is left out. */
export function auditSearch(asked: Readonly<Record<string, unknown>>): AuditSearch {
  const given = fields.flatMap((field) => {
    const value = asked[field]
    const text = typeof value === 'string' ? value.trim() : typeof value === 'number' ? String(value) : ''
    const isKnown = field !== 'outcome' || outcomes.some((outcome) => outcome === text)
    const isTime = (field !== 'since' && field !== 'until') || !Number.isNaN(Date.parse(text))
    return text === '' || !isKnown || !isTime ? [] : [[field, text] as const]
  })
  return Object.fromEntries(given)
}

/** What an input for a date and a time holds: local, to the minute. Empty for no time. */
export function localTime(time: string | undefined): string {
  if (time === undefined) return ''
  const at = new Date(time)
  const local = new Date(at.getTime() - at.getTimezoneOffset() * 60_000)
  return local.toISOString().slice(0, 16)
}

/** The ISO 8601 time of what such an input holds. */
export function isoOfLocal(text: string): string {
  return text === '' ? '' : new Date(text).toISOString()
}
