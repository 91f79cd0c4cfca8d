/** ISO 8601 in UTC from epoch milliseconds. */
export function isoTime(at: number): string {
  return new Date(at).toISOString()
}

export function timeOrNull(at: number | null): string | null {
  return at === null ? null : isoTime(at)
}
