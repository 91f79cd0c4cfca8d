import { schemaError } from './errors.ts'

/**
 * Splits a command line into words as a POSIX shell would, without any expansion: single quotes keep everything, double
 * quotes keep all but `\"` and `\\`, a backslash outside quotes keeps the next character. Throws a 400 refusal when a
 * quote is left open or a backslash ends the line.
 */
export function shellSplit(line: string): string[] {
  const words: string[] = []
  let word: string | undefined
  let quote = ''
  for (let at = 0; at < line.length; at += 1) {
    const char = line.charAt(at)
    if (quote === "'") {
      if (char === quote) quote = ''
      else word += char
    } else if (char === '\\') {
      at += 1
      if (at === line.length) throw schemaError('The command ends in a backslash that escapes nothing.')
      const next = line.charAt(at)
      const kept = quote === '"' && next !== '"' && next !== '\\' ? `\\${next}` : next
      word = (word ?? '') + kept
    } else if (quote === '"') {
      if (char === quote) quote = ''
      else word += char
    } else if (char === "'" || char === '"') {
      quote = char
      word ??= ''
    } else if (/[ \t\r\n]/.test(char)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else {
      word = (word ?? '') + char
    }
  }
  if (quote !== '') throw schemaError(`The command has an opening ${quote} without a closing one.`)
  if (word !== undefined) words.push(word)
  return words
}
