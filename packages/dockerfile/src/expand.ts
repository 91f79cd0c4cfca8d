import { BuildError } from './build-error.ts'

export type Lookup = (name: string) => string | undefined

/**
 * A word with its variables and quotes resolved, as a Dockerfile means them: `$x`, `${x}`, `${x:-word}`, `${x:+word}`,
 * `${x:?word}`, quotes of both kinds, the escape character. Throws `BuildError` for one that is not whole.
 */
export function expand(word: string, lookup: Lookup, escape: string): string {
  const reader = new Reader(word, lookup, escape)
  return reader.until(null)
}

/** `expand` for environments: the first of a name counts. */
export function lookupIn(env: readonly string[]): Lookup {
  const values = new Map<string, string>()
  for (const each of env) {
    const { name, value } = splitPair(each)
    if (!values.has(name)) values.set(name, value ?? '')
  }
  return (name) => values.get(name)
}

/** `name=value`; without a sign `value` is undefined. */
export function splitPair(text: string): { readonly name: string; readonly value: string | undefined } {
  const at = text.indexOf('=')
  return at < 0 ? { name: text, value: undefined } : { name: text.slice(0, at), value: text.slice(at + 1) }
}

class Reader {
  readonly #text: string
  readonly #lookup: Lookup
  readonly #escape: string
  #at = 0

  constructor(text: string, lookup: Lookup, escape: string) {
    this.#text = text
    this.#lookup = lookup
    this.#escape = escape
  }

  /** Reads up to `stop`, which is taken; null: to the end. */
  until(stop: string | null): string {
    let result = ''
    while (this.#at < this.#text.length) {
      const char = this.#next()
      if (char === stop) return result
      if (char === "'") result += this.#singleQuoted()
      else if (char === '"') result += this.#doubleQuoted()
      else if (char === '$') result += this.#variable()
      else if (char === this.#escape) result += this.#next()
      else result += char
    }
    if (stop !== null) throw new BuildError(`unexpected end of statement while looking for matching ${stop}`)
    return result
  }

  #next(): string {
    const char = this.#text.charAt(this.#at)
    this.#at += 1
    return char
  }

  #singleQuoted(): string {
    const end = this.#text.indexOf("'", this.#at)
    if (end < 0) throw new BuildError('unexpected end of statement while looking for matching single-quote')
    const inside = this.#text.slice(this.#at, end)
    this.#at = end + 1
    return inside
  }

  #doubleQuoted(): string {
    let result = ''
    while (this.#at < this.#text.length) {
      const char = this.#next()
      if (char === '"') return result
      if (char === '$') result += this.#variable()
      else if (char === this.#escape) result += this.#escapedInQuotes()
      else result += char
    }
    throw new BuildError('unexpected end of statement while looking for matching double-quote')
  }

  /** Only what means something between double quotes loses its escape. */
  #escapedInQuotes(): string {
    const char = this.#next()
    return char === '"' || char === '$' || char === this.#escape ? char : this.#escape + char
  }

  #variable(): string {
    if (this.#text.charAt(this.#at) !== '{') {
      const name = this.#name()
      return name === '' ? '$' : (this.#lookup(name) ?? '')
    }
    this.#at += 1
    const name = this.#name()
    if (name === '') throw new BuildError(`syntax error: bad substitution in ${JSON.stringify(this.#text)}`)
    const value = this.#lookup(name) ?? ''
    const char = this.#next()
    if (char === '}') return value
    if (char !== ':') throw new BuildError(`syntax error: missing ':' in substitution in ${JSON.stringify(this.#text)}`)
    const modifier = this.#next()
    const word = this.until('}')
    if (modifier === '+') return value === '' ? '' : word
    if (modifier === '-') return value === '' ? word : value
    if (modifier !== '?') throw new BuildError(`unsupported modifier (${modifier}) in substitution`)
    if (value === '') throw new BuildError(`${name}: ${word === '' ? 'is not allowed to be unset' : word}`)
    return value
  }

  #name(): string {
    const [name = ''] = /^(?:[A-Za-z_]\w*|\d+|[@*#?!-])/.exec(this.#text.slice(this.#at)) ?? []
    this.#at += name.length
    return name
  }
}
