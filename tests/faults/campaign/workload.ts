import type { Answer, Client, User } from './client.ts'
import type { Operation, Outcome } from './history.ts'
import type { Random } from './random.ts'
import {
  createStep,
  deleteStep,
  execStep,
  lookStep,
  type Named,
  type Step,
  verbStep,
  volumeStep,
  writeStep,
} from './steps.ts'
import { delay } from './waiting.ts'

export interface WorkloadOptions {
  readonly client: Client
  readonly user: User
  /** Tells the names of workers apart. */
  readonly number: number
  /** Containers of this worker at a time, at most. */
  readonly most: number
  readonly random: Random
  readonly now: () => number
  readonly note: (operation: Operation) => void
  readonly signal: AbortSignal
}

const apis = ['zun', 'native', 'docker'] as const
/** So few that two containers want the same one now and then. */
const ports = [8001, 8002, 8003, 8004, 8005, 8006]

/** One who makes a volume and containers, looks at them, and does with them what may be done, until the signal. */
export async function workload(options: WorkloadOptions): Promise<void> {
  const { random, signal, most, number } = options
  const volume = `w${number}-data`
  const mine: Named[] = []
  let hasVolume = false
  for (let count = 0; !signal.aborted; ) {
    await delay(random.between(50, 300))
    hasVolume ||= isDone(await perform(options, volume, volumeStep(volume)))
    if (mine.length < most && (mine.length === 0 || random.chance(0.3))) {
      count += 1
      const made = await create(options, `w${number}-c${count}`, hasVolume && random.chance(0.5) ? volume : undefined)
      if (made) mine.push(made)
      continue
    }
    const one = random.pick(mine)
    const isThere = await actOn(options, one)
    if (!isThere) mine.splice(mine.indexOf(one), 1)
  }
}

async function create(options: WorkloadOptions, name: string, volume: string | undefined): Promise<Named | null> {
  const { client, user, random } = options
  const api = random.pick(apis)
  const port = api === 'docker' && random.chance(0.6) ? random.pick(ports) : undefined
  const has = volume === undefined ? {} : { volume }
  const wanted = { name, ...has, ...(port !== undefined && { port }) }
  const answer = await perform(options, name, createStep(api, wanted))
  const id = idOf(answer)
  if (isDone(answer) && id !== undefined) return { name, id, ...has }
  if (answer.status !== null && answer.status < 500) return null
  // Whether it was made is not known: what is found by its name is looked after as well.
  const found = await client.ask(user, { method: 'GET', path: `/v1/containers?name=${name}` })
  const [first] = (found.json as { containers?: { id: string }[] }).containers ?? []
  return first ? { name, id: first.id, ...has } : null
}

/** One look and one act; whether the container is still there. */
async function actOn(options: WorkloadOptions, one: Named): Promise<boolean> {
  const { random } = options
  const seen = await perform(options, one.name, lookStep(one))
  if (seen.status === 404) return false
  const { status, task } = seen.json as { status?: string; task?: string | null }
  if (seen.status !== 200 || status === undefined) return true
  if (task !== null && random.chance(0.8)) return true
  const step = stepFor(status, one, random)
  if (!step) return true
  const answer = await perform(options, one.name, step)
  return !(step.verb === 'delete' && (isDone(answer) || answer.status === 404))
}

function stepFor(status: string, one: Named, random: Random): Step | null {
  const api = random.pick(apis)
  const dice = random.next()
  const { volume } = one
  if (status === 'Running') {
    if (dice < 0.35 && volume !== undefined) return writeStep({ ...one, volume }, random)
    if (dice < 0.5) return execStep(one, random)
    return dice < 0.75 ? verbStep('stop', api, one) : deleteStep(api, one)
  }
  if (status === 'Stopped' || status === 'Created') {
    return dice < 0.7 ? verbStep('start', api, one) : deleteStep(api, one)
  }
  return dice < 0.5 ? deleteStep(api, one) : null
}

async function perform(options: WorkloadOptions, name: string, step: Step): Promise<Answer> {
  const { client, user, now, note } = options
  const from = now()
  const answer = await step.ask(client, user)
  const outcome = outcomeOf(step, answer)
  const { output, exit_code: exitCode } = answer.json as { output?: string; exit_code?: number }
  const isRun = step.verb === 'exec' || step.verb === 'write'
  note({
    verb: step.verb,
    api: step.api,
    project: user.project,
    name,
    outcome,
    status: answer.status,
    ...step.more,
    ...(isRun && outcome === 'done' && { printed: output ?? '', exitCode: exitCode ?? -1 }),
    ...(outcome !== 'done' && { text: answer.text.slice(0, 300) }),
    from,
    to: now(),
  })
  return answer
}

/** Docker's verbs wait until they are carried out: when they fail, the wish may already be written. */
function outcomeOf({ api, verb }: Step, { status, text }: Answer): Outcome {
  if (api === 'docker' && verb === 'start' && status === 500 && text.includes('port is already allocated')) {
    return 'refused'
  }
  if (status === null || status >= 500) return 'unknown'
  if (status < 300) return 'done'
  if (api === 'docker' && verb !== 'create' && ![304, 400, 401, 403, 404, 429].includes(status)) return 'unknown'
  return 'refused'
}

const isDone = ({ status }: Answer) => status !== null && status < 300

/** The APIs' ids of a container are the same uuid; Docker's begins with its digits. */
function idOf({ json }: Answer): string | undefined {
  const { id, uuid, Id } = json as { id?: string; uuid?: string; Id?: string }
  return id ?? uuid ?? (Id === undefined ? undefined : uuidOf(Id))
}

function uuidOf(digits: string): string | undefined {
  return /^(.{8})(.{4})(.{4})(.{4})(.{12})/.exec(digits)?.slice(1).join('-')
}
