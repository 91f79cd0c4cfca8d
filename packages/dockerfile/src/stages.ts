import { argPairs, wordList } from './arguments.ts'
import { BuildArgs } from './build-args.ts'
import { BuildError } from './build-error.ts'
import {
  atLine,
  type Dockerfile,
  type Instruction,
  parseDockerfile,
  parseInstruction,
  unreadable,
} from './dockerfile.ts'
import { expand, lookupIn, splitPair } from './expand.ts'
import { checkForm } from './check-form.ts'

export interface Stage {
  /** Lower case; empty: it has none. */
  readonly name: string
  readonly from: Instruction
  /** As written, with its variables. */
  readonly base: string
  readonly steps: readonly Instruction[]
}

export interface BuildPlan {
  readonly escape: Dockerfile['escape']
  readonly warning: string
  /** Every ARG before the first FROM. */
  readonly metaArgs: readonly Instruction[]
  /** Those that are built: to the target, or all. */
  readonly stages: readonly Stage[]
}

export interface PlanOptions {
  /** Name or number of a stage; empty: the last. */
  readonly target: string
  /** Become the last step. */
  readonly labels?: Readonly<Record<string, string>>
}

/** What a Dockerfile says is to be done. Throws `BuildError` in the classic builder's words. */
export function buildPlan(text: string, { target, labels = {} }: PlanOptions): BuildPlan {
  const { escape, instructions, warning } = parseDockerfile(text)
  if (instructions.length === 0) throw unreadable('file with no instructions')
  const withLabels = Object.keys(labels).length === 0 ? instructions : [...instructions, labelStep(labels)]
  const metaArgs: Instruction[] = []
  const stages: (Stage & { steps: Instruction[] })[] = []
  for (const each of withLabels) {
    checkForm(each, escape)
    const stage = stages.at(-1)
    if (each.name === 'FROM') stages.push(stageOf(each))
    else if (stage) stage.steps.push(each)
    else if (each.name === 'ARG') metaArgs.push(each)
    else throw new BuildError('no build stage in current context')
  }
  return { escape, warning, metaArgs, stages: upTo(stages, target) }
}

/** Takes the ARGs before the first FROM. */
export function declareMetaArgs(plan: BuildPlan, args: BuildArgs): void {
  for (const each of plan.metaArgs) declareMetaArg(each, plan.escape, args)
}

export function declareMetaArg(instruction: Instruction, escape: string, args: BuildArgs): void {
  for (const { name, value } of argPairs(instruction, escape)) {
    const default_ = value === undefined ? undefined : expand(value, lookupIn(args.meta()), escape)
    args.declareMeta(name, default_)
  }
}

/** A stage's base with its variables resolved. */
export function baseOf({ base, from }: Stage, escape: string, args: BuildArgs): string {
  const name = expand(base, lookupIn(args.meta()), escape)
  if (name === '') throw atLine(from.line, `base name (${base}) should not be blank`)
  return name
}

/** The images that a build needs from outside: in FROM and in `--from`, neither `scratch` nor stages. No triggers. */
export function imagesNamed(text: string, buildArgs: Readonly<Record<string, string>>, target: string): string[] {
  const plan = buildPlan(text, { target })
  const args = new BuildArgs(buildArgs)
  declareMetaArgs(plan, args)
  const needed = new Set<string>()
  plan.stages.forEach((stage, index) => {
    const base = baseOf(stage, plan.escape, args)
    const earlier = plan.stages.slice(0, index)
    if (base !== 'scratch' && stageNamed(earlier, base, false) === null) needed.add(base)
    for (const step of stage.steps) {
      const from = step.name === 'COPY' ? fromFlag(step) : ''
      if (from !== '' && stageNamed(earlier, from, true) === null) needed.add(from)
    }
  })
  return [...needed]
}

/** The index of a stage by its name or, where that is allowed, its number; null: there is none. */
export function stageNamed(
  stages: readonly { readonly name: string }[],
  name: string,
  byNumber: boolean,
): number | null {
  const named = stages.findLastIndex((stage) => stage.name !== '' && stage.name === name.toLowerCase())
  if (named >= 0) return named
  return byNumber && /^\d+$/.test(name) && Number(name) < stages.length ? Number(name) : null
}

function fromFlag({ flags }: Instruction): string {
  return flags.find((flag) => flag.startsWith('from='))?.slice('from='.length) ?? ''
}

function stageOf(from: Instruction): Stage & { steps: Instruction[] } {
  const words = wordList(from.rest)
  const [base = '', as = '', name = ''] = words
  const named = words.length === 3 && as.toLowerCase() === 'as'
  if (words.length !== 1 && !named) throw atLine(from.line, 'FROM requires either one or three arguments')
  const unknown = from.flags.find((flag) => !flag.startsWith('platform='))
  if (unknown !== undefined) throw atLine(from.line, `Unknown flag: ${splitPair(unknown).name}`)
  if (named && !/^[a-z][a-z0-9-_.]*$/.test(name.toLowerCase())) {
    const problem = `invalid name for build stage: ${JSON.stringify(name)}, name can't start with a number or contain symbols`
    throw atLine(from.line, problem)
  }
  return { name: name.toLowerCase(), from, base, steps: [] }
}

function upTo(stages: readonly Stage[], target: string): readonly Stage[] {
  if (target === '') return stages
  const index = stageNamed(stages, target, true)
  if (index === null) throw new BuildError(`failed to reach build target ${target} in Dockerfile`)
  return stages.slice(0, index + 1)
}

function labelStep(labels: Readonly<Record<string, string>>): Instruction {
  const pairs = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))
  const quoted = (text: string) => `'${text.replaceAll("'", `'"'"'`)}'`
  return parseInstruction(`LABEL ${pairs.map(([name, value]) => `${quoted(name)}=${quoted(value)}`).join(' ')}`, 0)
}
