import { callerOf } from '@gantry/http'
import type { ProjectId } from '@gantry/model'
import Type from 'typebox'
import type { App, NativeContext } from '../context.ts'
import { operation } from '../operation.ts'
import { SetQuotas } from '../schemas.ts'

const tag = 'quotas'
const Project = Type.Object({
  project: Type.String({ minLength: 1, maxLength: 255, description: 'The id of a project.' }),
})

/** -1 means no limit. */
export function quotaRoutes(app: App, { control }: NativeContext): void {
  const { quotas } = control
  app.get('/quotas', { schema: ownDoc }, async (request) => {
    const caller = callerOf(request)
    return { projectId: caller.projectId, ...(await quotas.get(caller, caller.projectId)) }
  })
  app.get('/quotas/:project', { schema: showDoc }, async (request) => {
    const projectId = request.params.project as ProjectId
    return { projectId, ...(await quotas.get(callerOf(request), projectId)) }
  })
  app.patch('/quotas/:project', { schema: setDoc }, async (request) => {
    return quotas.set(callerOf(request), request.params.project as ProjectId, request.body)
  })
  app.delete('/quotas/:project', { schema: clearDoc }, async (request, reply) => {
    await quotas.clear(callerOf(request), request.params.project as ProjectId)
    return reply.code(204).send()
  })
}

const ownDoc = operation({
  operationId: 'showOwnQuota',
  summary: 'Show the limits of the own project and what is used of them',
  tag,
  answer: { status: 200, description: 'Limits and use.', content: 'QuotaUse' },
})
const showDoc = operation({
  operationId: 'showQuota',
  summary: 'Show the limits of a project and what is used of them',
  tag,
  params: Project,
  answer: { status: 200, description: 'Limits and use.', content: 'QuotaUse' },
})
const setDoc = operation({
  operationId: 'setQuota',
  summary: 'Change limits of a project; administrators only',
  tag,
  params: Project,
  body: SetQuotas,
  answer: { status: 200, description: 'All limits as they are now.', content: 'Quotas' },
})
const clearDoc = operation({
  operationId: 'clearQuota',
  summary: 'Go back to the default limits; administrators only',
  tag,
  params: Project,
  answer: { status: 204, description: 'Done.' },
})
