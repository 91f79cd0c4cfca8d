import { type Command, InvalidArgumentError } from 'commander'
import type { Api } from '../client/api.ts'

/** What every verb that talks to a server takes; both also go before the verb. */
export interface CommonOptions {
  readonly json?: boolean
  readonly api?: string
}

export interface Example {
  readonly line: string
  readonly about: string
}

/** Adds `--api`, `--json` if the verb shows something, and the examples at the end of its help. */
export function finish(command: Command, options: { json: boolean }, examples: readonly Example[]): Command {
  if (options.json) command.option('--json', 'print JSON, for programs')
  command.option('--api <url>', 'address of Gantry (default: where OS_AUTH_URL is)')
  const width = Math.max(...examples.map(({ line }) => line.length))
  const lines = examples.map(({ line, about }) => `  $ ${line.padEnd(width)}   # ${about}`)
  return command.addHelpText('after', `\nExamples:\n${lines.join('\n')}`)
}

/** Runs `work` with the API of the command's options and closes it afterwards. */
export async function withApi<T>(command: Command, work: (api: Api) => Promise<T>): Promise<T> {
  const { connect } = await import('../client/connect.ts')
  const api = await connect(command.optsWithGlobals<CommonOptions>().api)
  try {
    return await work(api)
  } finally {
    api.close()
  }
}

export function wantsJson(command: Command): boolean {
  return command.optsWithGlobals<CommonOptions>().json === true
}

/** For options that may be given several times. */
export function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value]
}

/** `KEY=VALUE` pairs as a map; `KEY` alone takes the value from `env`, and is left out if there is none. */
export function pairsOf(pairs: readonly string[], env: Readonly<Record<string, string | undefined>> = {}) {
  const map: Record<string, string> = {}
  for (const pair of pairs) {
    const at = pair.indexOf('=')
    const key = at < 0 ? pair : pair.slice(0, at)
    const value = at < 0 ? env[key] : pair.slice(at + 1)
    if (value !== undefined) map[key] = value
  }
  return map
}

/** MiB from `512`, `512m` or `2g`. */
export function mebibytes(text: string): number {
  const [, number = '', unit = 'm'] = /^(\d+(?:\.\d+)?)\s*([mMgG])?(?:i?[bB])?$/.exec(text) ?? []
  if (number === '') throw new InvalidArgumentError('Write it as 512, 512m or 2g.')
  return Math.round(Number(number) * (unit.toLowerCase() === 'g' ? 1024 : 1))
}

export function positive(text: string): number {
  const number = Number(text)
  if (!(number > 0)) throw new InvalidArgumentError('It must be a number above zero.')
  return number
}

export function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number, zero or more.')
  return Number(text)
}

/** `no`, `always`, `unless-stopped`, `on-failure` or `on-failure:3`. */
/** In docker's words. */
export function pullPolicy(text: string) {
  if (text === 'missing') return 'ifnotpresent' as const
  if (text === 'always' || text === 'never') return text
  throw new InvalidArgumentError('It must be always, missing or never.')
}

export function restartPolicy(text: string) {
  const [, name = '', retries = '0'] = /^(no|always|unless-stopped|on-failure)(?::(\d{1,6}))?$/.exec(text) ?? []
  if (name === 'no' || name === 'always' || name === 'unless-stopped' || name === 'on-failure') {
    if (retries === '0' || name === 'on-failure') return { name, maxRetries: Number(retries) } as const
  }
  throw new InvalidArgumentError('It must be no, always, unless-stopped, on-failure or on-failure:N.')
}
