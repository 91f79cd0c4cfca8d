import { type ParseArgsConfig, parseArgs } from 'node:util'

type Flags = NonNullable<ParseArgsConfig['options']>

export interface SettingSources {
  /** What was typed. */
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly flags: Flags
  /** Reads a file of `name: value` into an object; called for `--config FILE` or `$GANTRY_CONFIG`. */
  readonly readFile: (path: string) => Promise<unknown>
}

/**
 * The command line with everything that is said elsewhere: an option `--drain-time` may also be `GANTRY_DRAIN_TIME` in the environment,
 * or `drain-time` in the file of `--config`; what was typed goes before the environment, that before the file. Rejects with a sentence.
 */
export async function withSettings({ argv, env, flags, readFile }: SettingSources): Promise<string[]> {
  const config = { config: { type: 'string' } } as const
  const options = { ...flags, ...config }
  const { tokens } = parseArgs({ args: [...argv], options, strict: false, tokens: true })
  const typed = new Set(tokens.flatMap((token) => (token.kind === 'option' ? [token.name] : [])))
  const path = tokens.findLast((token) => token.kind === 'option' && token.name === 'config')
  const file = (path?.kind === 'option' ? path.value : undefined) ?? env['GANTRY_CONFIG']
  const fromFile = file === undefined ? new Map<string, string[]>() : fileWords(file, await readFile(file), flags)
  const added = Object.entries(flags).flatMap(([name, flag]) => {
    if (typed.has(name)) return []
    return environmentWords(name, flag, env) ?? fromFile.get(name) ?? []
  })
  return [...added, ...withoutConfig(argv)]
}

function environmentWords(name: string, flag: Flags[string], env: SettingSources['env']): string[] | null {
  const variable = `GANTRY_${name.toUpperCase().replaceAll('-', '_')}`
  const text = env[variable]
  if (text === undefined || text === '') return null
  if (flag.type === 'boolean') return booleanWords(name, text, variable)
  if (!flag.multiple) return [`--${name}=${text}`]
  return text.split(/[\s,]+/).flatMap((word) => (word === '' ? [] : [`--${name}=${word}`]))
}

function fileWords(path: string, content: unknown, flags: Flags): Map<string, string[]> {
  if (content === null || content === undefined) return new Map()
  if (typeof content !== 'object' || Array.isArray(content)) {
    throw new Error(`${path} must hold lines of "name: value", with the names that --help lists.`)
  }
  return new Map(
    Object.entries(content).map(([name, value]) => {
      const flag = flags[name]
      if (!flag || name === 'help') throw new Error(`${path}: there is no option "${name}"; --help lists them.`)
      return [name, valueWords(path, name, value, flag)]
    }),
  )
}

function valueWords(path: string, name: string, value: unknown, flag: Flags[string]): string[] {
  if (flag.type === 'boolean') return booleanWords(name, String(value), `${path}: ${name}`)
  const values: unknown[] = Array.isArray(value) && flag.multiple ? value : [value]
  return values.map((one) => {
    if (typeof one === 'string' || typeof one === 'number') return `--${name}=${one}`
    throw new Error(`${path}: ${name} must be ${flag.multiple ? 'a text or a list of texts' : 'a text or a number'}.`)
  })
}

function booleanWords(name: string, text: string, where: string): string[] {
  if (/^(true|yes|1)$/i.test(text)) return [`--${name}`]
  if (/^(false|no|0)$/i.test(text)) return []
  throw new Error(`${where} must be true or false, not ${JSON.stringify(text)}.`)
}

function withoutConfig(argv: readonly string[]): string[] {
  return argv.filter((word, at) => !/^--config(=|$)/.test(word) && argv[at - 1] !== '--config')
}
