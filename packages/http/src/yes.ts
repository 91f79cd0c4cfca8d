/** A flag in a query: `true`, `1` or the bare word; `otherwise` where it is left out. */
export function isYes(value: string | undefined, otherwise = false): boolean {
  return value === undefined ? otherwise : value === 'true' || value === '1' || value === ''
}
