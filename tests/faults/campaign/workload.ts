import type { Answer, Asked, Client, User } from './client.ts'
import type { Api, Operation, Outcome, Verb } from './history.ts'
import type { Random } from './random.ts'
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

/** A container of a worker's, as it last saw it. */
interface Mine {
  readonly name: string
  readonly id: string
}

type Step = { readonly verb: Verb; readonly api: Api; readonly asked: Asked; readonly more?: Partial<Operation> }

/** What ends at once when it is told to. */
const command = ['sh', '-c', "trap 'exit 0' TERM; while :; do sleep 1 & wait; done"]
export const memoryMiB = 16
const apis = ['zun', 'native', 'docker'] as const

/** One who makes containers, looks at them, and does with them what may be done, until the signal. */
export async function workload(options: WorkloadOptions): Promise<void> {
  const { random, signal, most } = options
  const mine: Mine[] = []
  for (let count = 0; !signal.aborted; ) {
    await delay(random.between(50, 300))
    if (mine.length < most && (mine.length === 0 || random.chance(0.3))) {
      count += 1
      const made = await create(options, `w${options.number}-c${count}`)
      if (made) mine.push(made)
      continue
    }
    const one = random.pick(mine)
    const isThere = await actOn(options, one)
    if (!isThere) mine.splice(mine.indexOf(one), 1)
  }
}

async function create(options: WorkloadOptions, name: string): Promise<Mine | null> {
  const { client, user, random } = options
  const answer = await perform(options, name, createStep(random.pick(apis), name))
  const id = idOf(answer)
  if (answer.status !== null && answer.status < 300 && id !== undefined) return { name, id }
  if (answer.status !== null && answer.status < 500) return null
  // Whether it was made is not known: what is found by its name is looked after as well.
  const found = await client.ask(user, { method: 'GET', path: `/v1/containers?name=${name}` })
  const [first] = (found.json as { containers?: { id: string }[] }).containers ?? []
  return first ? { name, id: first.id } : null
}

/** One look and one act; whether the container is still there. */
async function actOn(options: WorkloadOptions, one: Mine): Promise<boolean> {
  const { random } = options
  const look: Step = { verb: 'look', api: 'native', asked: { method: 'GET', path: `/v1/containers/${one.id}` } }
  const seen = await perform(options, one.name, look)
  if (seen.status === 404) return false
  const { status, task } = seen.json as { status?: string; task?: string | null }
  if (seen.status !== 200 || status === undefined) return true
  if (task !== null && random.chance(0.8)) return true
  const step = stepFor(status, one, random)
  if (!step) return true
  const answer = await perform(options, one.name, step)
  return !(step.verb === 'delete' && answer.status !== null && (answer.status < 300 || answer.status === 404))
}

function stepFor(status: string, one: Mine, random: Random): Step | null {
  const api = random.pick(apis)
  const dice = random.next()
  if (status === 'Running') {
    if (dice < 0.5) return execStep(one, random)
    return dice < 0.75 ? verbStep('stop', api, one) : deleteStep(api, one)
  }
  if (status === 'Stopped' || status === 'Created') {
    return dice < 0.7 ? verbStep('start', api, one) : deleteStep(api, one)
  }
  return dice < 0.5 ? deleteStep(api, one) : null
}

function createStep(api: Api, name: string): Step {
  const body = { name, image: 'busybox:latest' }
  switch (api) {
    case 'zun': {
      const zun = { ...body, command, memory: String(memoryMiB), cpu: 0.1 }
      const path = '/container/v1/containers?run=true'
      return { verb: 'create', api, asked: { method: 'POST', path, body: zun }, more: { run: true } }
    }
    case 'native': {
      const native = { ...body, command, memory: memoryMiB, cpu: 0.1, run: true }
      return {
        verb: 'create',
        api,
        asked: { method: 'POST', path: '/v1/containers', body: native },
        more: { run: true },
      }
    }
    case 'docker': {
      const limits = { Memory: memoryMiB << 20, NanoCpus: 100_000_000 }
      const docker = { Image: 'busybox:latest', Cmd: command, HostConfig: limits }
      const asked: Asked = { at: 'docker', method: 'POST', path: `/containers/create?name=${name}`, body: docker }
      return { verb: 'create', api, asked, more: { run: false } }
    }
  }
}

function verbStep(verb: 'start' | 'stop', api: Api, { id, name }: Mine): Step {
  const path = {
    zun: `/container/v1/containers/${id}/${verb}${verb === 'stop' ? '?timeout=2' : ''}`,
    native: `/v1/containers/${id}/${verb}`,
    docker: `/containers/${name}/${verb}${verb === 'stop' ? '?t=2' : ''}`,
  }[api]
  return { verb, api, asked: { ...(api === 'docker' && { at: 'docker' }), method: 'POST', path } }
}

function deleteStep(api: Api, { id, name }: Mine): Step {
  const path = {
    zun: `/container/v1/containers/${id}?stop=true`,
    native: `/v1/containers/${id}?stop=true`,
    docker: `/containers/${name}?force=true`,
  }[api]
  return { verb: 'delete', api, asked: { ...(api === 'docker' && { at: 'docker' }), method: 'DELETE', path } }
}

function execStep({ id }: Mine, random: Random): Step {
  const word = `word-${Math.floor(random.next() * 1e9)}`
  const query = new URLSearchParams({ command: `echo ${word}`, run: 'true', interactive: 'false' })
  const path = `/container/v1/containers/${id}/execute?${query.toString()}`
  return { verb: 'exec', api: 'zun', asked: { method: 'POST', path }, more: { expected: `${word}\n` } }
}

async function perform(options: WorkloadOptions, name: string, step: Step): Promise<Answer> {
  const { client, user, now, note } = options
  const from = now()
  const answer = await client.ask(user, step.asked)
  const outcome = outcomeOf(step, answer.status)
  const { output, exit_code: exitCode } = answer.json as { output?: string; exit_code?: number }
  note({
    verb: step.verb,
    api: step.api,
    project: user.project,
    name,
    outcome,
    status: answer.status,
    ...step.more,
    ...(step.verb === 'exec' && outcome === 'done' && { printed: output ?? '', exitCode: exitCode ?? -1 }),
    ...(outcome !== 'done' && { text: answer.text.slice(0, 300) }),
    from,
    to: now(),
  })
  return answer
}

/** Docker's verbs wait until they are carried out: when they fail, the wish may already be written. */
function outcomeOf({ api, verb }: Step, status: number | null): Outcome {
  if (status === null || status >= 500) return 'unknown'
  if (status < 300) return 'done'
  if (api === 'docker' && verb !== 'create' && ![304, 400, 401, 403, 404, 429].includes(status)) return 'unknown'
  return 'refused'
}

/** The APIs' ids of a container are the same uuid; Docker's begins with its digits. */
function idOf({ json }: Answer): string | undefined {
  const { id, uuid, Id } = json as { id?: string; uuid?: string; Id?: string }
  return id ?? uuid ?? (Id === undefined ? undefined : uuidOf(Id))
}

function uuidOf(digits: string): string | undefined {
  return /^(.{8})(.{4})(.{4})(.{4})(.{12})/.exec(digits)?.slice(1).join('-')
}
