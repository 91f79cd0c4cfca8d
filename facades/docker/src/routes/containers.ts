import type { Caller, Container } from '@gantry/model'
import type { FastifyInstance } from 'fastify'
import { containerFilterKeys, selected } from '../container-filters.ts'
import type { DockerContext } from '../context.ts'
import { Refusal } from '../errors.ts'
import { everyContainer } from '../every-container.ts'
import { filtersOf, isTrue, matchesLabels } from '../filters.ts'
import { dockerId } from '../ids.ts'
import { momentOf } from '../moments.ts'
import { removed, settled } from '../settle.ts'
import { surroundingsOf } from '../look-around.ts'
import { coresOf, mebibytesOf, restartPolicyOf, tuningOf } from '../translate-create.ts'
import { inspectOf } from '../translate-inspect.ts'
import { summaryOf } from '../translate-list.ts'
import { stateOf } from '../translate-state.ts'
import { bodiesOf } from './container-create.ts'
import { isAlive } from './container-verbs.ts'

interface Asked {
  readonly Params: { readonly id: string }
  readonly Querystring: Readonly<Record<string, string | undefined>>
}

/** Lists, inspect, update, wait, prune. */
export function containerRoutes(app: FastifyInstance, docker: DockerContext): void {
  const { control } = docker
  app.get<Asked>('/containers/json', async (request) => {
    const { query } = request
    const caller = docker.callerOf(request)
    const filters = filtersOf(query['filters'], containerFilterKeys)
    const limit = Number(query['limit'] ?? 0)
    const all = isTrue(query['all']) || limit > 0 || filters.has('status') || filters.has('exited')
    const everything = await everyContainer(control, caller)
    const wanted = await selected(
      docker,
      caller,
      everything.filter((each) => all || isAlive(each)),
      filters,
      everything,
    )
    const page = limit > 0 ? wanted.slice(0, limit) : wanted
    const around = await surroundingsOf(docker, caller, page)
    const list = page.map((each) => summaryOf(each, around, docker.clock.now()))
    return isTrue(query['size']) ? withSizes(docker, caller, page, list) : list
  })
  app.get<Asked>('/containers/:id/json', async (request) => {
    const caller = docker.callerOf(request)
    const container = await docker.find(caller, request.params.id)
    const size = isTrue(request.query['size'])
    const [found, around] = await Promise.all([
      control.engine.inspect(caller, container.id, { size }),
      surroundingsOf(docker, caller, [container]),
    ])
    return inspectOf(container, found, around)
  })
  app.post<Asked>('/containers/:id/update', async (request) => {
    const caller = docker.callerOf(request)
    const container = await docker.find(caller, request.params.id)
    const { host, raw } = bodiesOf({ HostConfig: request.body ?? {} })
    control.policy.judge(caller, { kind: 'update', hostConfig: raw.hostConfig })
    const [cpu, memory, tuning] = [coresOf(host), mebibytesOf(host), tuningOf(host)]
    const changed = await control.containers.update(caller, container.id, {
      ...(cpu !== undefined && { cpu }),
      ...(memory !== undefined && { memory }),
      ...(host.RestartPolicy?.Name && { restartPolicy: restartPolicyOf(host.RestartPolicy) }),
      ...(Object.keys(tuning).length > 0 && { options: { ...container.spec.options, ...tuning } }),
    })
    await settled(docker, caller, changed)
    return { Warnings: null }
  })
  app.post<Asked>('/containers/:id/wait', { config: { streaming: true } }, async (request, reply) => {
    const caller = docker.callerOf(request)
    const container = await docker.find(caller, request.params.id)
    const condition = request.query['condition'] ?? 'not-running'
    if (docker.versionOf(request) >= 42 && !['', 'not-running', 'next-exit', 'removed'].includes(condition)) {
      throw new Refusal(400, `invalid condition: "${condition}"`)
    }
    const gone = new AbortController()
    reply.raw.once('close', () => gone.abort(new Error('the client closed the connection')))
    const ended = ending(docker, caller, container, condition, gone.signal)
    // The client starts the container only when it has seen these.
    for (const [name, value] of Object.entries(reply.getHeaders()))
      if (value !== undefined) reply.raw.setHeader(name, value)
    reply.hijack()
    reply.raw.writeHead(200, { 'content-type': 'application/json' })
    reply.raw.flushHeaders()
    const answer = await ended.catch((error: unknown) => ({
      StatusCode: 125,
      Error: { Message: error instanceof Error ? error.message : String(error) },
    }))
    reply.raw.end(`${JSON.stringify(answer)}\n`)
    return reply
  })
  app.post<Asked>('/containers/prune', async (request) => {
    const caller = docker.callerOf(request)
    const filters = filtersOf(request.query['filters'], ['until', 'label', 'label!'])
    const now = docker.clock.now()
    const until = (momentOf(filters.get('until')?.[0], now) ?? now / 1000) * 1000
    const idle = (await everyContainer(control, caller)).filter(
      (each) =>
        !isAlive(each) &&
        ['created', 'exited', 'dead'].includes(stateOf(each)) &&
        each.status !== 'Creating' &&
        each.createdAt <= until &&
        matchesLabels(filters, each.spec.labels),
    )
    const ended: string[] = []
    for (const each of idle) {
      await removed(docker, caller, each)
      ended.push(dockerId(each.id))
    }
    return { ContainersDeleted: ended.length === 0 ? null : ended, SpaceReclaimed: 0 }
  })
}

async function withSizes(
  { control }: DockerContext,
  caller: Caller,
  page: readonly Container[],
  list: readonly object[],
): Promise<object[]> {
  const sizes = await Promise.all(page.map(({ id }) => control.engine.inspect(caller, id, { size: true })))
  return list.map((entry, index) => {
    const found = sizes[index]
    return { ...entry, SizeRw: found?.['SizeRw'] ?? 0, SizeRootFs: found?.['SizeRootFs'] ?? 0 }
  })
}

/** The exit code when the condition comes true; one that is no more counts for every condition. */
async function ending(
  { control }: DockerContext,
  caller: Caller,
  container: Container,
  condition: string,
  signal: AbortSignal,
): Promise<{ StatusCode: number; Error: null }> {
  const done = conditionOf(container, condition)
  const { exitCode } = await control.containers.until(caller, container.id, done, signal)
  return { StatusCode: exitCode ?? 0, Error: null }
}

function conditionOf(before: Container, condition: string): (now: Container) => boolean {
  const atRest = (now: Container) => !isAlive(now) && now.status !== 'Unknown' && now.task !== 'container_starting'
  switch (condition) {
    case 'removed':
      return () => false
    case 'next-exit': {
      const was = before.observed.engine
      return ({ observed: { engine } }) => {
        if (!engine || engine.startedAt === null) return false
        const over = engine.state !== 'running' && engine.state !== 'paused'
        const anotherRun = engine.startedAt !== (was?.startedAt ?? null)
        return over && (anotherRun || (was !== null && (was.state === 'running' || was.state === 'paused')))
      }
    }
    default:
      return atRest
  }
}
