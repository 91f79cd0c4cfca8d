export interface Column<T> {
  readonly title: string
  readonly value: (row: T) => string
  /** May be cut to make the table fit the terminal; those with lower numbers first. Never cut without. */
  readonly shrink?: number
}

const gap = '  '
const leastWidth = 8

/** Rows under titles. With `width` (the terminal's columns) lines are kept within it where columns allow. Pure. */
export function table<T>(rows: readonly T[], columns: readonly Column<T>[], width?: number): string {
  const cells = rows.map((row) => columns.map((column) => oneLine(column.value(row))))
  const widths = columns.map((column, i) => Math.max(column.title.length, ...cells.map((line) => lengthOf(line[i]))))
  if (width !== undefined) shrink(widths, columns, width)
  const lines = [columns.map((column) => column.title), ...cells]
  return lines
    .map(
      (line) =>
        `${line
          .map((cell, i) => fit(cell, widths[i] ?? 0))
          .join(gap)
          .trimEnd()}\n`,
    )
    .join('')
}

/** Names and values, one a line. */
export function properties(pairs: readonly (readonly [string, string])[]): string {
  const width = Math.max(0, ...pairs.map(([name]) => name.length))
  return pairs.map(([name, value]) => `${name.padEnd(width)}${gap}${oneLine(value)}`.trimEnd() + '\n').join('')
}

function shrink<T>(widths: number[], columns: readonly Column<T>[], width: number): void {
  let over = widths.reduce((sum, one) => sum + one, 0) + gap.length * (widths.length - 1) - width
  const order = columns
    .map(({ shrink, title }, i) => ({ shrink, title, i }))
    .filter(({ shrink }) => shrink !== undefined)
    .sort((a, b) => (a.shrink ?? 0) - (b.shrink ?? 0))
  for (const { i, title } of order) {
    const now = widths[i] ?? 0
    const cut = Math.max(0, Math.min(now - Math.max(leastWidth, title.length), over))
    widths[i] = now - cut
    over -= cut
  }
}

function fit(cell: string, width: number): string {
  const characters = Array.from(cell)
  if (characters.length <= width) return cell + ' '.repeat(width - characters.length)
  return `${characters.slice(0, width - 1).join('')}…`
}

function lengthOf(cell: string | undefined): number {
  return Array.from(cell ?? '').length
}

/** Control characters in a value must not reach the terminal. */
function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ')
}
