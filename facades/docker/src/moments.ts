import { Fault } from '@gantry/kernel'

/**
 * A moment in a query, in epoch seconds: those themselves with fractions, an RFC 3339 date, or a span before now (`10m`,
 * `1h30m`). null: none; 0 is none as well. Throws `request.invalid`.
 */
export function momentOf(text: string | undefined, nowMs: number): number | null {
  if (text === undefined || text === '' || text === '0') return null
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text)
  if (/^-?(\d+(\.\d+)?(h|m|s|ms))+$/.test(text)) return nowMs / 1000 - spanOf(text)
  const at = Date.parse(text)
  if (!Number.isNaN(at)) return at / 1000
  throw new Fault('request.invalid', { problem: `invalid timestamp ${JSON.stringify(text.slice(0, 60))}` })
}

const secondsOf: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1, ms: 0.001 }

function spanOf(text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|h|m|s)/g)]
  return parts.reduce((sum, [, count = '0', unit = 's']) => sum + Number(count) * (secondsOf[unit] ?? 1), 0)
}
