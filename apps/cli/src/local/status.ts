import { reasonOf, systemClock } from '@gantry/kernel'
import { type Cloud, logIn } from './cloud.ts'
import { ownEngineProcess } from './engine/own-engine.ts'
import type { Home } from './home.ts'
import { operatorOf } from './operator.ts'
import { readState, type UpState } from './state.ts'

const askMs = 5000

export interface Status {
  readonly home: string
  readonly running: boolean
  readonly up?: UpState
  /** The process of the engine that Gantry started, whether or not the rest runs. */
  readonly ownEnginePid?: number
  readonly hosts?: { readonly connected: number; readonly known: number }
  /** How many containers of all projects are in each status. */
  readonly containers?: Readonly<Record<string, number>>
  /** Why hosts and containers are not known. */
  readonly problem?: string
}

export async function statusOf(home: Home): Promise<Status> {
  const state = readState(home)
  const engine = ownEngineProcess(home)
  const base = { home: home.root, running: state !== undefined, ...(engine && { ownEnginePid: engine.pid }) }
  if (!state) return base
  try {
    return { ...base, up: state, ...(await counts(home, state.api)) }
  } catch (error) {
    return { ...base, up: state, problem: reasonOf(error) }
  }
}

async function counts(home: Home, api: string): Promise<Pick<Status, 'hosts' | 'containers'>> {
  const signal = AbortSignal.timeout(askMs)
  const operator = await operatorOf(home)
  if (!operator) throw new Error(`${home.openrcAdmin} is missing`)
  const cloud = await logIn(operator, api, signal)
  const { services } = (await get(cloud, '/services', signal)) as { services: { state: string }[] }
  const connected = services.filter(({ state }) => state === 'up').length
  return { hosts: { connected, known: services.length }, containers: await containersByStatus(cloud, signal) }
}

async function containersByStatus(cloud: Cloud, signal: AbortSignal): Promise<Record<string, number>> {
  const found: Record<string, number> = {}
  const pageSize = 1000
  for (let marker = ''; ; ) {
    const path = `/containers?all_projects=True&limit=${pageSize}${marker && `&marker=${marker}`}`
    const { containers } = (await get(cloud, path, signal)) as { containers: { uuid: string; status: string }[] }
    for (const { status } of containers) found[status] = (found[status] ?? 0) + 1
    if (containers.length < pageSize) return found
    marker = containers.at(-1)?.uuid ?? ''
  }
}

async function get(cloud: Cloud, path: string, signal: AbortSignal): Promise<unknown> {
  const { status, body } = await cloud.container({ path }, signal)
  if (status !== 200) throw new Error(`the container API answered ${status} to ${path}`)
  return body
}

/** The same for a person. */
export function statusLines(status: Status, now: number = systemClock.now()): string[] {
  const row = (name: string, value: string): string => `${name.padEnd(12)}${value}`
  const own = status.ownEnginePid === undefined ? '' : `, started by Gantry, pid ${status.ownEnginePid}`
  const { up } = status
  if (!up) return [row('Gantry', `not running (${status.home})`), ...(own === '' ? [] : [row('Engine', `runs${own}`)])]
  const minutes = Math.floor((now - up.since) / 60_000)
  const process = ({ pid, restarts }: UpState['server']): string =>
    `pid ${pid}${restarts > 0 ? `, restarted ${restarts} ${restarts === 1 ? 'time' : 'times'}` : ''}`
  const containers = Object.entries(status.containers ?? {}).map(([name, count]) => `${count} ${name}`)
  return [
    row('Gantry', `${up.version}, up ${minutes} min, pid ${up.supervisor.pid} (${status.home})`),
    row('Server', `${up.api}, ${process(up.server)}`),
    row('Docker API', `${up.docker}, TLS ${up.dockerTls}`),
    row('Agent', `${process(up.agent)}, dials ${up.agents}`),
    row('Engine', `${up.engine.kind} ${up.engine.version}, unix://${up.engine.socket}${own}`),
    row(
      'Hosts',
      status.hosts ? `${status.hosts.connected} of ${status.hosts.known} connected` : `unknown: ${status.problem}`,
    ),
    row('Containers', status.containers ? containers.join(', ') || 'none' : `unknown: ${status.problem}`),
  ]
}
