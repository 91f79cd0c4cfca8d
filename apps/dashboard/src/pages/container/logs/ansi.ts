/** Text of one look. */
export interface Piece {
  readonly text: string
  readonly colour?: Colour
  readonly isBold?: boolean
  readonly isDim?: boolean
  /** Found by the search. */
  readonly isMatch?: boolean
}

const colours = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'] as const
export type Colour = (typeof colours)[number]

/** ECMA-48: what sets colours or moves the cursor, what sets titles and links, the short ones; then what no terminal shows. */
const sequences = new RegExp(
  [
    String.raw`\x1b\[([0-9;:<=>?]*)[ -/]*([@-~])`,
    String.raw`\x1b\][^\x07\x1b]*(?:\x07|\x1b\\|$)`,
    String.raw`\x1b[ -/]*[0-~]?`,
    String.raw`[\x00-\x08\x0b-\x1f\x7f]`,
  ].join('|'),
  'g',
)

/** What a person reads. */
export function plainText(text: string): string {
  return text.replace(sequences, '')
}

/** A line in its colours. Each begins without any; backgrounds and what moves a cursor are left out. */
export function piecesOf(line: string): readonly Piece[] {
  const pieces: Piece[] = []
  let look: Omit<Piece, 'text'> = {}
  let from = 0
  const take = (to: number) => to > from && pieces.push({ ...look, text: line.slice(from, to) })
  for (const match of line.matchAll(sequences)) {
    take(match.index)
    from = match.index + match[0].length
    if (match[2] === 'm') look = styled(look, match[1] ?? '')
  }
  take(line.length)
  return pieces
}

/** SGR: `1;31`. */
function styled(look: Omit<Piece, 'text'>, parameters: string): Omit<Piece, 'text'> {
  const codes = parameters.split(/[;:]/).map(Number)
  let next = look
  for (let at = 0; at < codes.length; at += 1) {
    const code = codes[at] ?? 0
    const colour = code >= 90 ? colours[code - 90] : colours[code - 30]
    if (code === 0) next = {}
    else if (code === 1) next = { ...next, isBold: true }
    else if (code === 2) next = { ...next, isDim: true }
    else if (code === 22) next = { ...next, isBold: false, isDim: false }
    else if (code === 39) next = without(next)
    // A colour of 256, or of a million: its numbers are no codes.
    else if (code === 38 || code === 48) at += codes[at + 1] === 2 ? 4 : 2
    else if (colour !== undefined && (code < 38 || code >= 90)) next = { ...next, colour }
  }
  return next
}

function without({ isBold, isDim }: Omit<Piece, 'text'>): Omit<Piece, 'text'> {
  return { ...(isBold && { isBold }), ...(isDim && { isDim }) }
}

/** The same with every place marked where `wanted`, in small letters, stands in the text. */
export function marked(pieces: readonly Piece[], wanted: string): readonly Piece[] {
  if (wanted === '') return pieces
  const text = pieces
    .map((piece) => piece.text)
    .join('')
    .toLowerCase()
  const cuts: number[] = []
  for (let at = text.indexOf(wanted); at !== -1; at = text.indexOf(wanted, at + wanted.length))
    cuts.push(at, at + wanted.length)
  return cuts.length === 0 ? pieces : cut(pieces, cuts)
}

/** `cuts`: where matches begin and end, in turn. */
function cut(pieces: readonly Piece[], cuts: readonly number[]): readonly Piece[] {
  const parts: Piece[] = []
  let [at, next] = [0, 0]
  for (const piece of pieces) {
    let rest = piece.text
    while (rest !== '') {
      const length = Math.min(rest.length, (cuts[next] ?? Number.POSITIVE_INFINITY) - at)
      if (length > 0) parts.push({ ...piece, text: rest.slice(0, length), ...(next % 2 === 1 && { isMatch: true }) })
      rest = rest.slice(length)
      at += length
      while (cuts[next] === at) next += 1
    }
  }
  return parts
}
