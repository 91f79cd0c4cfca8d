import { callerOf } from '@gantry/http'
import { Fault } from '@gantry/kernel'
import type { FastifyInstance } from 'fastify'
import { flag, queryOf } from './arguments.ts'
import { bodyCheck } from './body-rules.ts'
import { listContainers } from './container-list.ts'
import { baseOf, refOf, shown, viewOf, type Zun } from './context.ts'
import { Refusal } from './errors.ts'
import { minorOf, requireMinor } from './microversion.ts'
import { createRules, resizeRules, updateRules } from './schemas.ts'
import { groupIds } from './security-groups.ts'
import { toCreated } from './translate.ts'
import { toNewContainer, toPatch } from './translate-create.ts'

/** The containers collection and the plain verbs on one of them. */
export function containerRoutes(app: FastifyInstance, zun: Zun): void {
  const { containers } = zun.control
  const checkCreate = bodyCheck(createRules, ['image'])
  const checkUpdate = bodyCheck(updateRules)
  const checkResize = bodyCheck(resizeRules)

  app.post('/containers', async (request, reply) => {
    if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) {
      throw new Refusal(415, '', 'A container is described in JSON (Content-Type: application/json).')
    }
    const minor = minorOf(request)
    const body = checkCreate(request.body ?? {}, minor)
    const caller = callerOf(request)
    const input = toNewContainer(body, minor, flag(queryOf(request), 'run', false))
    const groups = input.groups && { groups: await groupIds(zun, caller, input.groups) }
    const container = await containers.create(caller, { ...input, ...groups }).catch(renameHostFault)
    const base = baseOf(zun, request)
    return reply
      .code(202)
      .header('location', `${base}/v1/containers/${container.id}`)
      .send(toCreated(container, body, viewOf(zun, request)))
  })

  app.get('/containers', (request) => listContainers(zun, request))

  app.get('/containers/:ref', async (request) => {
    const allProjects = flag(queryOf(request), 'all_projects', false)
    return shown(zun, request, await containers.get(callerOf(request), refOf(request), { allProjects }))
  })

  app.patch('/containers/:ref', async (request) => {
    const patch = toPatch(checkUpdate(request.body ?? {}, minorOf(request)))
    const caller = callerOf(request)
    // An empty change is answered like a look, whatever the container's state.
    const changed = Object.keys(patch).length > 0
    const container = await (changed
      ? containers.update(caller, refOf(request), patch)
      : containers.get(caller, refOf(request)))
    return shown(zun, request, container)
  })

  app.post('/containers/:ref/resize_container', { config: { zun: { since: 19 } } }, async (request, reply) => {
    const patch = toPatch(checkResize(request.body ?? {}, minorOf(request)))
    const caller = callerOf(request)
    const before = await containers.get(caller, refOf(request))
    if (Object.keys(patch).length > 0) await containers.update(caller, before.id, patch)
    return reply.code(202).send(shown(zun, request, before))
  })

  app.delete('/containers/:ref', async (request, reply) => {
    const query = queryOf(request)
    const force = flag(query, 'force', false)
    const stop = flag(query, 'stop', false)
    if (force) requireMinor(minorOf(request), 7, 'force')
    if (stop) requireMinor(minorOf(request), 12, 'stop')
    const allProjects = flag(query, 'all_projects', false)
    // When both are asked for, stop wins: it needs no administrator and reaches as far.
    await containers.delete(callerOf(request), refOf(request), { force: force && !stop, stop, allProjects })
    return reply.code(204).send()
  })
}

/** The host that a create asked for has an error name of its own. */
function renameHostFault(error: unknown): never {
  if (error instanceof Fault && error.code === 'host.not-found') {
    throw new Refusal(404, 'requested-host-not-found', error.message)
  }
  throw error
}
