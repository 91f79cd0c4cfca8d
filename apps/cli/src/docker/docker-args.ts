import { usage } from '../failure.ts'

/** Options of `docker` itself that take a value in the next word. */
const valued: ReadonlySet<string> = new Set(['--config', '--log-level', '-l', '--tlscacert', '--tlscert', '--tlskey'])
/** They would send this cloud's token to another place. */
const elsewhere = /^(-H|--host|-c|--context)(=|$)|^-[Hc]./

export interface DockerArgs {
  readonly args: readonly string[]
  /** The first words that are no options: `run`, or `container run`. */
  readonly command: string
}

/**
 * Readies a docker command line for Gantry: `-p pub:222:22` (an address of the network public) becomes `-p 222:22`, which
 * is the same here and which the docker command does not take for a bad IP address. Throws a usage failure for options
 * that name another engine.
 */
export function dockerArgs(words: readonly string[]): DockerArgs {
  let at = 0
  while (words[at]?.startsWith('-')) {
    const word = words[at] ?? ''
    if (elsewhere.test(word)) {
      throw usage(`gantry docker always asks this cloud; leave ${word} out, or use docker itself.`)
    }
    at += valued.has(word) ? 2 : 1
  }
  const [first = '', second = ''] = words.slice(at)
  const command = first === 'container' ? `${first} ${second}` : first
  if (!['run', 'create', 'container run', 'container create'].includes(command)) return { args: words, command }
  return { args: [...words.slice(0, at), ...published(words.slice(at))], command }
}

function published(words: readonly string[]): string[] {
  return words.map((word, index) => {
    const before = words[index - 1]
    if (before === '-p' || before === '--publish') return withoutPub(word)
    const [, option = '', value = ''] = /^(-p=?|--publish=)(.+)$/.exec(word) ?? []
    return option === '' ? word : `${option}${withoutPub(value)}`
  })
}

/** `pub:222:22`, and `pub::22` for a port that is chosen. */
function withoutPub(value: string): string {
  const [, port = '', rest = ''] = /^pub(?:lic)?:([^:]*):(.+)$/.exec(value) ?? []
  if (rest === '') return value
  return port === '' ? rest : `${port}:${rest}`
}
