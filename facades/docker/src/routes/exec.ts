import { Fault } from '@gantry/kernel'
import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { Compile } from 'typebox/compile'
import type { DockerContext } from '../context.ts'
import { Refusal } from '../errors.ts'
import { execOptionsOf, execStream, findExec } from '../exec-stream.ts'
import { canonicalBody } from '../canonical-body.ts'
import { takenOver } from '../hijack.ts'
import { dockerId, execIdOf } from '../ids.ts'
import { isAlive } from './container-verbs.ts'
import { sizeOf } from './container-streams.ts'

interface Asked {
  readonly Params: { readonly id: string }
  readonly Querystring: Readonly<Record<string, string | undefined>>
}

const strings = Type.Union([Type.Array(Type.String()), Type.Null()])
const flag = Type.Optional(Type.Union([Type.Boolean(), Type.Null()]))
const ExecCreate = Type.Object({
  Cmd: Type.Optional(Type.Union([strings, Type.String()])),
  Env: Type.Optional(strings),
  User: Type.Optional(Type.String()),
  WorkingDir: Type.Optional(Type.String()),
  DetachKeys: Type.Optional(Type.String()),
  Tty: flag,
  AttachStdin: flag,
  AttachStdout: flag,
  AttachStderr: flag,
  Privileged: flag,
})
const checkCreate = Compile(ExecCreate)

/** Commands in running containers. */
export function execRoutes(app: FastifyInstance, docker: DockerContext): void {
  const { engine } = docker.control
  app.post<Asked>('/containers/:id/exec', async (request, reply) => {
    const caller = docker.callerOf(request)
    const container = await docker.find(caller, request.params.id)
    const asked = canonicalBody(request.body, Object.keys(ExecCreate.properties))
    if (!checkCreate.Check(asked)) throw new Fault('request.invalid', { problem: 'The exec is not valid.' })
    const command = typeof asked.Cmd === 'string' ? [asked.Cmd] : (asked.Cmd ?? [])
    if (command.length === 0) throw new Refusal(400, 'No exec command specified')
    if (container.status === 'Paused') {
      throw new Refusal(409, `Container ${request.params.id} is paused, unpause the container before exec`)
    }
    if (!isAlive(container)) throw new Refusal(409, `Container ${dockerId(container.id)} is not running`)
    const { DetachKeys, User, WorkingDir, Env } = asked
    const config = {
      Cmd: command,
      Tty: asked.Tty ?? false,
      AttachStdin: asked.AttachStdin ?? false,
      AttachStdout: asked.AttachStdout ?? false,
      AttachStderr: asked.AttachStderr ?? false,
      Privileged: asked.Privileged ?? false,
      ...(Env && { Env }),
      ...(User && { User }),
      ...(WorkingDir && { WorkingDir }),
      ...(DetachKeys && { DetachKeys }),
    }
    const execId = await engine.execCreate(caller, container.id, config)
    return reply.code(201).send({ Id: execIdOf(container.id, execId) })
  })
  app.post<Asked>('/exec/:id/start', { config: { streaming: true } }, async (request, reply) => {
    const identity = docker.identityOf(request)
    const { id: execId } = request.params
    const options = execOptionsOf(isStream(request.body) ? undefined : request.body)
    const { id, engineExecId } = await findExec(docker, identity, execId)
    if (options.detach) {
      await engine.execStart(identity.caller, id, engineExecId, options, null, new AbortController().signal)
      return reply.code(200).send()
    }
    const connection = takenOver(request, reply)
    try {
      const minor = docker.versionOf(request)
      const body = JSON.stringify(request.body ?? {})
      await execStream({ docker, identity, connection, minor, execId, body })
    } catch (error) {
      connection.refuse(error)
    }
    return reply
  })
  app.post<Asked>('/exec/:id/resize', async (request, reply) => {
    const { id, engineExecId } = await findExec(docker, docker.identityOf(request), request.params.id)
    const size = sizeOf(request.query)
    if (size) await engine.execResize(docker.callerOf(request), id, engineExecId, size)
    return reply.code(200).send()
  })
  app.get<Asked>('/exec/:id/json', async (request) => {
    const { id, engineExecId } = await findExec(docker, docker.identityOf(request), request.params.id)
    const found = await engine.execInspect(docker.callerOf(request), id, engineExecId)
    return {
      ID: request.params.id,
      Running: found['Running'],
      ExitCode: found['ExitCode'],
      ProcessConfig: found['ProcessConfig'],
      OpenStdin: found['OpenStdin'],
      OpenStderr: found['OpenStderr'],
      OpenStdout: found['OpenStdout'],
      CanRemove: found['CanRemove'],
      ContainerID: dockerId(id),
      DetachKeys: found['DetachKeys'] ?? '',
      Pid: found['Pid'],
    }
  })
}

function isStream(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'pipe' in body
}
