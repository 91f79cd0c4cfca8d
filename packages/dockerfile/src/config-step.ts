import { posix } from 'node:path'
import type { ImageConfig } from './image-config.ts'
import { argPairs, commandForm, namedValues, wordList } from './arguments.ts'
import { BuildError } from './build-error.ts'
import type { BuildArgs } from './build-args.ts'
import { atLine, type Instruction, parseInstruction } from './dockerfile.ts'
import { expand, type Lookup, splitPair } from './expand.ts'
import { exposedPorts } from './exposed-ports.ts'
import { healthcheckOf, shownCheck } from './healthcheck.ts'
import { stopSignal } from './stop-signal.ts'

export interface StepInput {
  readonly config: ImageConfig
  readonly author: string
  /** Whether this stage has a CMD of its own already. */
  readonly cmdSet: boolean
  readonly lookup: Lookup
  readonly escape: string
  readonly args: BuildArgs
}

export interface StepResult {
  readonly config: ImageConfig
  /** What the history says of the step. */
  readonly comment: string
  readonly author?: string
  readonly cmdSet?: boolean
  /** Told before the step. */
  readonly note?: string
}

/** An instruction that changes nothing but the image's config. Takes what ARG declares. Throws `BuildError`. */
export function configStep(instruction: Instruction, input: StepInput): StepResult {
  const { name, rest, line } = instruction
  const { config, lookup, escape } = input
  const word = (text: string) => expand(text, lookup, escape)
  switch (name) {
    case 'ENV': {
      const pairs = namedValues(instruction, escape).map((pair) => ({ name: word(pair.name), value: word(pair.value) }))
      const env = pairs.reduce((all, pair) => withVariable(all, pair), config.Env ?? [])
      return { config: { ...config, Env: env }, comment: `ENV ${joined(pairs)}` }
    }
    case 'LABEL': {
      const pairs = namedValues(instruction, escape).map((pair) => ({ name: word(pair.name), value: word(pair.value) }))
      const labels = Object.fromEntries(pairs.map((pair) => [pair.name, pair.value]))
      return { config: { ...config, Labels: { ...config.Labels, ...labels } }, comment: `LABEL ${joined(pairs)}` }
    }
    case 'ARG':
      return { config, comment: `ARG ${declareArgs(instruction, input)}` }
    case 'CMD': {
      const argv = inShell(rest, config)
      return { config: { ...config, Cmd: argv }, comment: `CMD ${quoted(argv)}`, cmdSet: rest !== '' }
    }
    case 'ENTRYPOINT': {
      const argv = rest === '' ? [] : inShell(rest, config)
      // The base's CMD was meant for the base's entrypoint.
      const cmd = input.cmdSet ? {} : { Cmd: null }
      return { config: { ...config, Entrypoint: argv, ...cmd }, comment: `ENTRYPOINT ${quoted(argv)}` }
    }
    case 'EXPOSE': {
      const words = wordList(word(rest)).toSorted()
      const ports = exposedPorts(words)
      const all = { ...config.ExposedPorts, ...Object.fromEntries(ports.map((port) => [port, {}])) }
      return { config: { ...config, ExposedPorts: all }, comment: `EXPOSE ${words.join(' ')}` }
    }
    case 'HEALTHCHECK': {
      const before: { readonly Test?: readonly string[] } | null | undefined = config.Healthcheck
      const check = healthcheckOf(instruction)
      const replaced = check.Test[0] !== 'NONE' && (before?.Test?.length ?? 0) > 0 && before?.Test?.[0] !== 'NONE'
      const note = replaced ? { note: `Note: overriding previous HEALTHCHECK: [${before?.Test?.join(' ')}]\n` } : {}
      return { config: { ...config, Healthcheck: check }, comment: `HEALTHCHECK ${shownCheck(check)}`, ...note }
    }
    case 'USER':
      return { config: { ...config, User: word(rest) }, comment: `USER ${word(rest)}` }
    case 'VOLUME': {
      const paths = wordList(rest).map((path) => word(path).trim())
      if (paths.includes('')) throw new BuildError('VOLUME specified can not be an empty string')
      const volumes = { ...config.Volumes, ...Object.fromEntries(paths.map((path) => [path, {}])) }
      return { config: { ...config, Volumes: volumes }, comment: `VOLUME [${paths.join(' ')}]` }
    }
    case 'STOPSIGNAL': {
      const signal = stopSignal(word(rest))
      return { config: { ...config, StopSignal: signal }, comment: `STOPSIGNAL ${signal}` }
    }
    case 'SHELL': {
      const form = commandForm(rest)
      if (form.kind === 'shell') throw atLine(line, 'SHELL requires the arguments to be in JSON form')
      return { config: { ...config, Shell: form.argv }, comment: `SHELL [${form.argv.join(' ')}]` }
    }
    case 'ONBUILD': {
      checkTrigger(rest)
      return { config: { ...config, OnBuild: [...(config.OnBuild ?? []), rest] }, comment: `ONBUILD ${rest}` }
    }
    case 'MAINTAINER':
      return { config, comment: `MAINTAINER ${rest}`, author: rest }
    default:
      throw atLine(line, `unknown instruction: ${name}`)
  }
}

/** The path that WORKDIR means. */
export function workdirOf(config: ImageConfig, path: string): string {
  return posix.resolve('/', config.WorkingDir ?? '', path)
}

export function shellOf(config: ImageConfig): readonly string[] {
  return config.Shell && config.Shell.length > 0 ? config.Shell : ['/bin/sh', '-c']
}

/** A command as it is run: in the image's shell unless it is JSON. */
export function inShell(text: string, config: ImageConfig): readonly string[] {
  const form = commandForm(text)
  return form.kind === 'exec' ? form.argv : [...shellOf(config), form.line]
}

function withVariable(env: readonly string[], { name, value }: { name: string; value: string }): string[] {
  const at = env.findIndex((each) => splitPair(each).name === name)
  const text = `${name}=${value}`
  return at < 0 ? [...env, text] : env.toSpliced(at, 1, text)
}

function joined(pairs: readonly { name: string; value: string }[]): string {
  if (pairs.some(({ name }) => name === '')) throw new BuildError('names can not be blank')
  return pairs.map(({ name, value }) => `${name}=${value}`).join(' ')
}

function quoted(argv: readonly string[]): string {
  return `[${argv.map((each) => JSON.stringify(each)).join(' ')}]`
}

/** Not in the form of a pair if it has no default. */
function declareArgs(instruction: Instruction, { lookup, escape, args }: StepInput): string {
  const pairs = argPairs(instruction, escape).map(({ name, value }) => ({
    name: expand(name, lookup, escape),
    value: value === undefined ? undefined : expand(value, lookup, escape),
  }))
  for (const { name, value } of pairs) args.declare(name, value)
  return pairs.map(({ name, value }) => (value === undefined ? name : `${name}=${value}`)).join(' ')
}

function checkTrigger(text: string): void {
  const { name } = parseInstruction(text)
  if (name === 'ONBUILD') throw new BuildError("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed")
  if (name === 'FROM' || name === 'MAINTAINER') throw new BuildError(`${name} isn't allowed as an ONBUILD trigger`)
}
