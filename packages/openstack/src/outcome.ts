import { reasonOf } from '@gantry/kernel'
import type { Outcome } from './repeat-policy.ts'

/** Of an error of undici or Node, or of an answer that undici shows as one. */
export function outcomeOf(error: unknown): Outcome {
  const { statusCode, code, headers } = firstOf(error) as {
    statusCode?: unknown
    code?: unknown
    headers?: Readonly<Record<string, string | string[] | undefined>>
  }
  if (typeof statusCode === 'number') return { status: statusCode, retryAfter: textOf(headers?.['retry-after']) }
  return { errorCode: typeof code === 'string' ? code : 'unknown' }
}

/** Node gathers attempts on several addresses into one error without a text. */
function firstOf(error: unknown): object {
  const [first] = error instanceof AggregateError ? (error.errors as unknown[]) : []
  const one = first ?? error
  return typeof one === 'object' && one !== null ? one : {}
}

/** For a person. */
export function wordsOf(error: unknown): string {
  return reasonOf(firstOf(error)) || 'the connection failed'
}

/** The first, where a header came several times. */
export function textOf(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : header?.[0]
}
