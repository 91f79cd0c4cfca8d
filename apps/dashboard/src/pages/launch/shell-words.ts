/** A word as a POSIX shell reads it back, whatever is in it. */
export function quoted(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

export function quotedLine(words: readonly string[]): string {
  return words.map(quoted).join(' ')
}

/**
 * The words of a command line, with quotes and backslashes as in a POSIX shell; nothing is expanded. null: a quote or a backslash at the
 * end is open.
 */
export function wordsOfLine(line: string): string[] | null {
  const words: string[] = []
  let word: string | null = null
  let quote: string | null = null
  for (let at = 0; at < line.length; at += 1) {
    const sign = line[at] ?? ''
    if (quote === "'") {
      if (sign === quote) quote = null
      else word += sign
    } else if (sign === '\\' && (quote === null || /["\\$`]/.test(line[at + 1] ?? ''))) {
      at += 1
      if (at === line.length) return null
      word = (word ?? '') + (line[at] ?? '')
    } else if (quote === '"') {
      if (sign === quote) quote = null
      else word += sign
    } else if (sign === "'" || sign === '"') {
      quote = sign
      word ??= ''
    } else if (/\s/.test(sign)) {
      if (word !== null) words.push(word)
      word = null
    } else word = (word ?? '') + sign
  }
  if (quote !== null) return null
  return word === null ? words : [...words, word]
}
