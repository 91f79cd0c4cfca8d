import { BuildError } from './build-error.ts'
import { atLine, type Instruction, unreadable } from './dockerfile.ts'
import { splitPair } from './expand.ts'

/** A command as JSON (run as it is) or as a line for the shell. */
export type CommandForm =
  | { readonly kind: 'exec'; readonly argv: readonly string[] }
  | { readonly kind: 'shell'; readonly line: string }

export function commandForm(text: string): CommandForm {
  const argv = jsonStrings(text)
  return argv === null ? { kind: 'shell', line: text } : { kind: 'exec', argv }
}

/** Words between blanks, or those of a JSON array. */
export function wordList(text: string): readonly string[] {
  return jsonStrings(text) ?? text.split(/\s+/).filter((word) => word !== '')
}

function jsonStrings(text: string): readonly string[] | null {
  if (!text.startsWith('[')) return null
  let found: unknown
  try {
    found = JSON.parse(text)
  } catch {
    return null
  }
  if (!Array.isArray(found)) return null
  const strings = found.filter((each): each is string => typeof each === 'string')
  if (strings.length < found.length)
    throw new BuildError('when using JSON array syntax, arrays must be comprised of strings only')
  return strings
}

/** Words as a shell would split them, their quotes and escapes kept for `expand`. */
export function quotedWords(text: string, escape: string): string[] {
  const words: string[] = []
  let word = ''
  let quote = ''
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charAt(at)
    if (char === escape && quote !== "'") {
      word += char + text.charAt(at + 1)
      at += 1
    } else if (quote === '' && /\s/.test(char)) {
      if (word !== '') words.push(word)
      word = ''
    } else {
      if (char === quote) quote = ''
      else if (quote === '' && (char === '"' || char === "'")) quote = char
      word += char
    }
  }
  return word === '' ? words : [...words, word]
}

/** Of ENV and LABEL: `a=b c=d`, or the old `a b`. Not expanded. */
export function namedValues({ name, rest, line }: Instruction, escape: string): { name: string; value: string }[] {
  const words = quotedWords(rest, escape)
  const [first] = words
  if (first === undefined) throw atLine(line, `${name} requires at least one argument`)
  if (!first.includes('=')) {
    const [, key = '', value] = /^(\S+)\s+([\s\S]+)$/.exec(rest) ?? []
    if (value === undefined) throw unreadable(`${name} must have two arguments`)
    return [{ name: key, value }]
  }
  return words.map((word) => {
    const pair = splitPair(word)
    if (pair.value !== undefined) return { name: pair.name, value: pair.value }
    throw unreadable(`Syntax error - can't find = in ${JSON.stringify(word)}. Must be of the form: name=value`)
  })
}

/** The values of an instruction's flags; throws for one that is not among `allowed`. */
export function flagsOf({ flags, line }: Instruction, allowed: readonly string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const flag of flags) {
    const { name, value } = splitPair(flag)
    if (!allowed.includes(name)) throw atLine(line, `Unknown flag: ${name}`)
    if (found.has(name)) throw atLine(line, `Duplicate flag specified: ${name}`)
    if (value === undefined) throw atLine(line, `Missing a value on flag: ${name}`)
    found.set(name, value)
  }
  return found
}

/** ARG before a FROM, or after it: names with what they are unless told otherwise. */
export function argPairs({ rest, line }: Instruction, escape: string): { name: string; value: string | undefined }[] {
  const words = quotedWords(rest, escape)
  if (words.length === 0) throw atLine(line, 'ARG requires at least one argument')
  return words.map(splitPair)
}
