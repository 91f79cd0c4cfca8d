/** One line of a chart. */
export interface Line {
  readonly name: string
  readonly color: string
  readonly points: readonly (readonly [x: number, y: number])[]
}

export interface Chart {
  readonly title: string
  readonly x: string
  readonly y: string
  readonly lines: readonly Line[]
  /** A height that is drawn across, with its name. */
  readonly goal?: { readonly y: number; readonly name: string }
}

const [width, height] = [760, 360]
const edge = { left: 76, right: 20, top: 44, bottom: 52 }

/** A chart as SVG that needs nothing else: axes with a few round numbers, lines, their names. */
export function svgOf({ title, x, y, lines, goal }: Chart): string {
  const all = lines.flatMap(({ points }) => points)
  const [right, top] = [
    roundUp(Math.max(1, ...all.map(([at]) => at))),
    roundUp(Math.max(1, goal?.y ?? 0, ...all.map(([, at]) => at))),
  ]
  const atX = (value: number) => edge.left + (value / right) * (width - edge.left - edge.right)
  const atY = (value: number) => height - edge.bottom - (value / top) * (height - edge.top - edge.bottom)
  const text = (at: readonly [number, number], words: string, rest = '') =>
    `<text x="${at[0].toFixed(1)}" y="${at[1].toFixed(1)}" ${rest}>${escaped(words)}</text>`
  const rule = (from: readonly [number, number], to: readonly [number, number], rest: string) =>
    `<line x1="${from[0].toFixed(1)}" y1="${from[1].toFixed(1)}" x2="${to[0].toFixed(1)}" y2="${to[1].toFixed(1)}" ${rest}/>`
  const grid = [0, 0.25, 0.5, 0.75, 1].flatMap((part) => [
    rule([edge.left, atY(part * top)], [width - edge.right, atY(part * top)], 'stroke="#ddd"'),
    text([edge.left - 8, atY(part * top) + 4], short(part * top), 'text-anchor="end"'),
    text([atX(part * right), height - edge.bottom + 18], short(part * right), 'text-anchor="middle"'),
  ])
  const drawn = lines.map(({ color, points }) => {
    const path = points.map(([px, py]) => `${atX(px).toFixed(1)},${atY(py).toFixed(1)}`).join(' ')
    return `<polyline points="${path}" fill="none" stroke="${color}" stroke-width="2"/>`
  })
  const legend = lines.map(({ name, color }, index) =>
    text([edge.left + 10 + index * 190, edge.top - 8], name, `fill="${color}" font-weight="bold"`),
  )
  const aim = goal
    ? [
        rule([edge.left, atY(goal.y)], [width - edge.right, atY(goal.y)], 'stroke="#999" stroke-dasharray="6 4"'),
        text([width - edge.right, atY(goal.y) - 5], goal.name, 'text-anchor="end" fill="#666"'),
      ]
    : []
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    text([edge.left, 20], title, 'font-size="15"'),
    ...grid,
    ...aim,
    ...drawn,
    ...legend,
    text([(width + edge.left) / 2, height - 12], x, 'text-anchor="middle"'),
    text([16, height / 2], y, `text-anchor="middle" transform="rotate(-90 16 ${height / 2})"`),
    '</svg>',
    '',
  ].join('\n')
}

/** The next number that is easy to read: 1, 2, 2.5, 4, 5 or 8 times a power of ten. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value))
  return ([1, 2, 2.5, 4, 5, 8, 10].find((step) => step * power >= value) ?? 10) * power
}

function short(value: number): string {
  if (value >= 1e6) return `${value / 1e6}M`
  return value >= 1000 ? `${value / 1000}k` : String(value)
}

function escaped(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
