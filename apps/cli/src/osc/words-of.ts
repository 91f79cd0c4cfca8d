import { usage } from '../failure.ts'

/**
 * A command written as one text, in words as a POSIX shell would read it: quotes and backslashes group, nothing is
 * expanded. Throws a usage failure for a quote that does not end.
 */
export function wordsOf(text: string): string[] {
  const words: string[] = []
  const part = /\s+|'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)|([^\s'"\\]+)/gsy
  let word: string | undefined
  for (let match = part.exec(text); match; match = part.exec(text)) {
    const [whole, single, double, escaped, plain] = match
    const piece = single ?? double?.replace(/\\(["\\$`])/g, '$1') ?? escaped ?? plain
    if (piece !== undefined) word = (word ?? '') + piece
    else if (word !== undefined) {
      words.push(word)
      word = undefined
    }
    if (part.lastIndex === text.length) return word === undefined ? words : [...words, word]
    if (whole === '') break
  }
  if (text === '') return []
  throw usage(`A quote does not end in ${JSON.stringify(text)}.`)
}
