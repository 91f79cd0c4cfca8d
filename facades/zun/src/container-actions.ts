import { callerOf } from '@gantry/http'
import { Fault, type FaultKind } from '@gantry/kernel'
import type { Caller } from '@gantry/model'
import type { FastifyInstance } from 'fastify'
import { type Arguments, argumentsOf, integer, requiredText, text } from './arguments.ts'
import { refOf, sendNull, shown, type Zun } from './context.ts'
import { Refusal, schemaError } from './errors.ts'

type Act = (caller: Caller, ref: string, args: Arguments) => Promise<unknown>

/** Verbs that are accepted with 202 and carried out afterwards, and the two that answer with the container. */
export function containerActionRoutes(app: FastifyInstance, zun: Zun): void {
  const { containers } = zun.control
  const defaultGraceSeconds = 10
  const grace = (args: Arguments) => ({ graceSeconds: integer(args, 'timeout', 0) ?? defaultGraceSeconds })

  const acts: Readonly<Record<string, Act>> = {
    start: (caller, ref) => containers.start(caller, ref),
    stop: (caller, ref, args) => containers.stop(caller, ref, grace(args)),
    reboot: (caller, ref, args) => containers.reboot(caller, ref, grace(args)),
    pause: (caller, ref) => containers.pause(caller, ref),
    unpause: (caller, ref) => containers.unpause(caller, ref),
    kill: (caller, ref, args) => containers.kill(caller, ref, readSignal(args)),
    rebuild: (caller, ref, args) => containers.rebuild(caller, ref, readRebuild(args)),
  }
  for (const [verb, act] of Object.entries(acts)) {
    app.post(`/containers/:ref/${verb}`, async (request, reply) => {
      await act(callerOf(request), refOf(request), argumentsOf(request))
      return sendNull(reply, 202)
    })
  }

  app.post('/containers/:ref/rename', { config: { zun: { until: 13 } } }, async (request) => {
    const caller = callerOf(request)
    const name = readName(argumentsOf(request))
    const container = await containers.get(caller, refOf(request))
    if (container.name === name) throw new Refusal(409, 'conflict', `The container is named ${name} already.`)
    return shown(zun, request, await containers.rename(caller, container.id, name))
  })

  app.post('/containers/:ref/resize', async (request, reply) => {
    const size = readSize(argumentsOf(request))
    await resizing(containers.resizeTty(callerOf(request), refOf(request), size))
    return sendNull(reply, 200)
  })

  app.post('/containers/:ref/execute_resize', async (request, reply) => {
    const args = argumentsOf(request)
    const size = readSize(args)
    const execId = requiredText(args, 'exec_id')
    if (!/^[0-9a-f]{64}$/.test(execId))
      throw schemaError('Invalid input for argument exec_id: it must be 64 hex digits.')
    await resizing(containers.resizeExec(callerOf(request), refOf(request), execId, size))
    return sendNull(reply, 200)
  })

  app.post('/containers/:ref/commit', async (request, reply) => {
    const args = argumentsOf(request)
    const repository = requiredText(args, 'repository', 255)
    const tag = text(args, 'tag', 128) ?? 'latest'
    const image = await containers.commit(callerOf(request), refOf(request), repository, tag)
    return reply.code(202).send({ uuid: image.id })
  })
}

function readSignal(args: Arguments): string {
  const signal = text(args, 'signal', 32) ?? 'SIGKILL'
  if (!/^[A-Za-z0-9+-]+$/.test(signal))
    throw schemaError('Invalid input for argument signal: it must be a name or a number.')
  return signal
}

function readRebuild(args: Arguments): { image?: string; imageDriver?: 'docker' | 'glance' } {
  const image = text(args, 'image', 255)
  const driver = text(args, 'image_driver')
  if (image !== undefined && !/^[^\s]{2,}$/.test(image)) {
    throw schemaError('Invalid input for argument image: it must be the name of an image, without spaces.')
  }
  if (driver !== undefined && driver !== 'docker' && driver !== 'glance') {
    throw schemaError('Invalid input for argument image_driver: it must be docker or glance.')
  }
  return { ...(image === undefined ? {} : { image }), ...(driver === undefined ? {} : { imageDriver: driver }) }
}

function readName(args: Arguments): string {
  const name = requiredText(args, 'name', 255)
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name)) return name
  throw schemaError('Invalid input for argument name: 2 to 255 letters, digits, dots, dashes or underscores.')
}

function readSize(args: Arguments): { rows: number; columns: number } {
  const rows = integer(args, 'h', 1, 65_535)
  const columns = integer(args, 'w', 1, 65_535)
  if (rows === undefined || columns === undefined) throw schemaError('The arguments h and w are required.')
  return { rows, columns }
}

/** A terminal may be gone before its window's change arrives, with its container even; clients swallow only a 400 for that. */
async function resizing(work: Promise<void>): Promise<void> {
  try {
    await work
  } catch (error) {
    const late = error instanceof Fault && lateKinds.has(error.kind) && error.code !== 'container.ambiguous'
    if (!late) throw error
    throw new Refusal(400, 'invalid', 'The terminal cannot be resized; its process has probably ended.')
  }
}

const lateKinds: ReadonlySet<FaultKind> = new Set(['conflict', 'internal', 'unavailable'])
