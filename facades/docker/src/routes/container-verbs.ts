import { Fault } from '@gantry/kernel'
import type { Caller, Container } from '@gantry/model'
import type { FastifyInstance } from 'fastify'
import type { DockerContext } from '../context.ts'
import { Refusal } from '../errors.ts'
import { isTrue } from '../filters.ts'
import { dockerId } from '../ids.ts'
import { removed, settled, started } from '../settle.ts'

interface Asked {
  readonly Params: { readonly id: string }
  readonly Querystring: Readonly<Record<string, string | undefined>>
}

/** Longest grace that is handed on, seconds: "wait for ever" is written as -1. */
const longestGrace = 86_400

/** Start, stop and the like. The engine's API answers when it is done, so these wait for the container's host. */
export function containerVerbRoutes(app: FastifyInstance, docker: DockerContext): void {
  const { containers } = docker.control
  const on = async (caller: Caller, ref: string) => docker.find(caller, ref)

  app.post<Asked>('/containers/:id/start', async (request, reply) => {
    const caller = docker.callerOf(request)
    const container = await on(caller, request.params.id)
    if (isAlive(container)) {
      if (container.status === 'Paused') throw new Refusal(409, 'cannot start a paused container, try unpause instead')
      return reply.code(304).send()
    }
    await started(docker, caller, container)
    return reply.code(204).send()
  })
  app.post<Asked>('/containers/:id/stop', async (request, reply) => {
    const caller = docker.callerOf(request)
    const container = await on(caller, request.params.id)
    if (!isAlive(container)) return reply.code(304).send()
    await withSignal(docker, caller, container, request.query['signal'], graceOf(container, request.query['t']))
    const graceSeconds = graceOf(container, request.query['t'])
    await settled(
      docker,
      caller,
      await containers.stop(caller, container.id, { graceSeconds }).catch(unlessEnded(container)),
    )
    return reply.code(204).send()
  })
  app.post<Asked>('/containers/:id/restart', async (request, reply) => {
    const caller = docker.callerOf(request)
    const container = await on(caller, request.params.id)
    if (!isAlive(container)) await started(docker, caller, container)
    else {
      const graceSeconds = graceOf(container, request.query['t'])
      await settled(docker, caller, await containers.reboot(caller, container.id, { graceSeconds }))
    }
    return reply.code(204).send()
  })
  app.post<Asked>('/containers/:id/kill', async (request, reply) => {
    const caller = docker.callerOf(request)
    const container = await on(caller, request.params.id).catch(notToKill(request.params.id))
    const { signal = 'SIGKILL' } = request.query
    if (!isAlive(container)) throw notRunning(container)
    await containers.kill(caller, container.id, signal === '' ? 'SIGKILL' : signal, { wait: true })
    if (/^(SIG)?KILL$|^9$/i.test(signal)) {
      await containers.until(caller, container.id, (now) => hasEnded(container, now), AbortSignal.timeout(30_000))
    }
    return reply.code(204).send()
  })
  app.post<Asked>('/containers/:id/pause', async (request, reply) => {
    const caller = docker.callerOf(request)
    const container = await on(caller, request.params.id)
    if (container.status === 'Paused') throw new Refusal(409, `Container ${dockerId(container.id)} is already paused`)
    if (container.status !== 'Running') throw new Refusal(409, `Container ${dockerId(container.id)} is not running`)
    await settled(docker, caller, await containers.pause(caller, container.id))
    return reply.code(204).send()
  })
  app.post<Asked>('/containers/:id/unpause', async (request, reply) => {
    const caller = docker.callerOf(request)
    const container = await on(caller, request.params.id)
    if (container.status !== 'Paused') throw new Refusal(409, `Container ${dockerId(container.id)} is not paused`)
    await settled(docker, caller, await containers.unpause(caller, container.id))
    return reply.code(204).send()
  })
  app.post<Asked>('/containers/:id/rename', async (request, reply) => {
    const caller = docker.callerOf(request)
    const container = await on(caller, request.params.id)
    const name = (request.query['name'] ?? '').replace(/^\//, '')
    if (name === '') throw new Refusal(400, 'Neither old nor new names may be empty')
    if (name === container.name) throw new Refusal(409, 'Renaming a container with the same name as its current name')
    await containers
      .rename(caller, container.id, name, { unique: true })
      .catch(nameTaken(docker, caller, 'Error when allocating new name: '))
    return reply.code(204).send()
  })
  app.delete<Asked>('/containers/:id', async (request, reply) => {
    const caller = docker.callerOf(request)
    const container = await on(caller, request.params.id)
    if (isTrue(request.query['link'])) throw new Refusal(400, 'Removing links is not supported; remove the container.')
    if (!isTrue(request.query['force'])) mustBeAtRest(container)
    await removed(docker, caller, container)
    return reply.code(204).send()
  })
}

export function isAlive({ status }: Container): boolean {
  return status === 'Running' || status === 'Paused' || status === 'Restarting'
}

/** The run that `before` was in is over. */
function hasEnded(before: Container, now: Container): boolean {
  const was = before.observed.engine?.startedAt
  const is = now.observed.engine
  return is === null || is.startedAt !== was || (is.state !== 'running' && is.state !== 'paused')
}

function notRunning(container: Container): Refusal {
  const id = dockerId(container.id)
  return new Refusal(409, `Cannot kill container: ${container.name}: Container ${id} is not running`)
}

/** As the engine says it of this verb only. */
function notToKill(ref: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof Fault) || error.code !== 'container.not-found') throw error
    throw new Refusal(404, `Cannot kill container: ${ref}: No such container: ${ref}`)
  }
}

function mustBeAtRest(container: Container): void {
  const id = dockerId(container.id)
  if (container.status === 'Paused') {
    throw new Refusal(
      409,
      `You cannot remove a paused container ${id}. Unpause and then stop the container before attempting removal or force remove`,
    )
  }
  if (isAlive(container)) {
    throw new Refusal(
      409,
      `You cannot remove a running container ${id}. Stop the container before attempting removal or force remove`,
    )
  }
}

/** Seconds: as asked, or the container's own, or the engine's ten. */
function graceOf({ spec }: Container, asked: string | undefined): number {
  const seconds = asked === undefined || asked === '' ? (spec.options?.stopTimeoutSeconds ?? 10) : Number(asked)
  if (!Number.isInteger(seconds))
    throw new Fault('request.invalid', { problem: `strconv.Atoi: parsing "${asked}": invalid syntax` })
  return seconds < 0 ? longestGrace : Math.min(seconds, longestGrace)
}

/** Sends another signal than the container's own first, and gives it the grace. */
async function withSignal(
  { control }: DockerContext,
  caller: Caller,
  container: Container,
  signal: string | undefined,
  graceSeconds: number,
): Promise<void> {
  if (signal === undefined || signal === '') return
  const { containers } = control
  await containers.kill(caller, container.id, signal, { wait: true })
  const limit = AbortSignal.timeout(Math.max(1, graceSeconds * 1000))
  await containers.until(caller, container.id, (now) => hasEnded(container, now), limit).catch(() => undefined)
}

/** It came to its end by itself a moment ago. */
function unlessEnded(container: Container): (error: unknown) => Container {
  return (error) => {
    if (error instanceof Fault && error.code === 'container.state') return container
    throw error
  }
}

/** Names the container that has the name, as the engine does. */
export function nameTaken(docker: DockerContext, caller: Caller, context = ''): (error: unknown) => Promise<never> {
  return async (error) => {
    if (!(error instanceof Fault) || error.code !== 'container.name-taken') throw error
    const name = String(error.details['name'])
    const holder = await docker.find(caller, name).catch(() => undefined)
    throw new Refusal(
      409,
      `${context}Conflict. The container name "/${name}" is already in use by container "${holder ? dockerId(holder.id) : 'another'}". You have to remove (or rename) that container to be able to reuse that name.`,
    )
  }
}
