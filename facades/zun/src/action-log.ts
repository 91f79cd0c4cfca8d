import { callerOf, isRequestId } from '@gantry/http'
import { Fault } from '@gantry/kernel'
import type { Action, ActionEvent } from '@gantry/model'
import type { FastifyInstance } from 'fastify'
import { refOf, type Zun } from './context.ts'
import { isoTime } from './times.ts'

/** What was asked of a container, and the steps that were taken for it. */
export function actionLogRoutes(app: FastifyInstance, zun: Zun): void {
  const { containers } = zun.control

  app.get('/containers/:ref/container_actions', async (request) => {
    const actions = await containers.actions(callerOf(request), refOf(request))
    return { containerActions: actions.map(toAction) }
  })

  app.get('/containers/:ref/container_actions/:request', async (request) => {
    const caller = callerOf(request)
    const id = (request.params as { request: string }).request
    if (!isRequestId(id)) {
      const { name } = await containers.get(caller, refOf(request))
      throw new Fault('action.not-found', { request: id, container: name, ref: name })
    }
    const { action, events } = await containers.action(caller, refOf(request), id)
    return { ...toAction(action), events: events.map((event) => toEvent(event, caller.isAdmin)) }
  })
}

function toAction(action: Action): Record<string, unknown> {
  return {
    action: action.name,
    container_uuid: action.containerId,
    request_id: action.requestId,
    user_id: action.userId,
    project_id: action.projectId,
    start_time: isoTime(action.startedAt),
    finish_time: action.finishedAt === null ? null : isoTime(action.finishedAt),
    message: action.error === null ? null : 'Error',
  }
}

function toEvent(event: ActionEvent, admin: boolean): object {
  return {
    event: `compute_${event.name}`,
    start_time: isoTime(event.startedAt),
    finish_time: event.finishedAt === null ? null : isoTime(event.finishedAt),
    result: event.result,
    traceback: admin ? event.detail : null,
  }
}
