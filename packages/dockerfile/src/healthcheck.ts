import { commandForm, flagsOf } from './arguments.ts'
import { BuildError } from './build-error.ts'
import { atLine, type Instruction } from './dockerfile.ts'

/** As an image's config holds it; times in nanoseconds, absent: the engine's default. */
export interface Healthcheck {
  readonly Test: readonly string[]
  readonly Interval?: number
  readonly Timeout?: number
  readonly StartPeriod?: number
  readonly Retries?: number
}

const nanoseconds: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
}
/** The engine's own least. */
const shortest = 1e6

/** What HEALTHCHECK says. Throws `BuildError`. */
export function healthcheckOf(instruction: Instruction): Healthcheck {
  const { rest, line } = instruction
  const flags = flagsOf(instruction, ['interval', 'timeout', 'start-period', 'retries'])
  const [, kind = '', command = ''] = /^(\S+)\s*([\s\S]*)$/.exec(rest) ?? []
  if (kind.toUpperCase() === 'NONE') {
    if (command !== '') throw atLine(line, 'HEALTHCHECK NONE takes no arguments')
    return { Test: ['NONE'] }
  }
  if (kind.toUpperCase() !== 'CMD') throw atLine(line, `Unknown type "${kind.toUpperCase()}" in HEALTHCHECK (try CMD)`)
  if (command === '') throw atLine(line, 'Missing command after HEALTHCHECK CMD')
  const form = commandForm(command)
  const Test = form.kind === 'exec' ? ['CMD', ...form.argv] : ['CMD-SHELL', form.line]
  const Retries = retriesOf(flags.get('retries'), line)
  const Interval = durationOf('interval', flags.get('interval'), line)
  const Timeout = durationOf('timeout', flags.get('timeout'), line)
  const StartPeriod = durationOf('start-period', flags.get('start-period'), line)
  return {
    Test,
    ...(Interval > 0 && { Interval }),
    ...(Timeout > 0 && { Timeout }),
    ...(StartPeriod > 0 && { StartPeriod }),
    ...(Retries > 0 && { Retries }),
  }
}

function retriesOf(text: string | undefined, line: number): number {
  if (text === undefined || text === '') return 0
  const count = Number(text)
  if (Number.isInteger(count) && count >= 0) return count
  throw atLine(line, `--retries must be at least 1 (not ${text})`)
}

function durationOf(name: string, text: string | undefined, line: number): number {
  if (text === undefined || text === '' || text === '0') return 0
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?|\.\d+)(ns|us|µs|ms|s|m|h)/g)]
  if (parts.map(([whole]) => whole).join('') !== text)
    throw new BuildError(`time: invalid duration ${JSON.stringify(text)}`)
  const total = parts.reduce((sum, [, count, unit = '']) => sum + Number(count) * (nanoseconds[unit] ?? 0), 0)
  if (total < shortest) throw atLine(line, `Interval "${name}" cannot be less than 1ms`)
  return Math.round(total)
}

/** As Docker's history shows one. */
export function shownCheck({ Test, Interval = 0, Timeout = 0, StartPeriod = 0, Retries = 0 }: Healthcheck): string {
  const test = Test.map((word) => JSON.stringify(word)).join(' ')
  const times = [Interval, Timeout, StartPeriod].map((time) => `"${goDuration(time)}"`).join(' ')
  const retries = Retries < 0x20 ? `\\x${Retries.toString(16).padStart(2, '0')}` : String.fromCodePoint(Retries)
  return `&{[${test}] ${times} '${retries}'}`
}

/** `1m30s`, as Go writes nanoseconds. */
function goDuration(time: number): string {
  if (time === 0) return '0s'
  if (time < 1e9) return `${time / 1e6}ms`
  const [hours, minutes] = [Math.floor(time / 3600e9), Math.floor(time / 60e9) % 60]
  const seconds = `${(time % 60e9) / 1e9}s`
  if (hours > 0) return `${hours}h${minutes}m${seconds}`
  return minutes > 0 ? `${minutes}m${seconds}` : seconds
}
