import { callerOf } from '@gantry/http'
import type { RequestId } from '@gantry/model'
import { Stats } from '@gantry/wire'
import Type from 'typebox'
import { type App, type NativeContext, Ref } from '../context.ts'
import { operation } from '../operation.ts'
import { text } from '../query.ts'
import { CommitContainer } from '../schemas.ts'
import { toActionView } from '../translate.ts'
import { toImageView } from '../translate-image.ts'

const tag = 'containers'
const TopQuery = Type.Object({ psArgs: text('Arguments for ps, as `-ef`.') }, { additionalProperties: false })
const ActionParams = Type.Object({ ...Ref.properties, request: Type.String({ minLength: 1, maxLength: 64 }) })
const Top = Type.Object({ titles: Type.Array(Type.String()), processes: Type.Array(Type.Array(Type.String())) })

/** Looking into a container, and keeping what is in it: processes, figures, what was asked of it, commit. */
export function inspectRoutes(app: App, { control }: NativeContext): void {
  const { containers } = control
  app.get('/containers/:ref/top', { schema: topDoc }, async (request) => {
    return containers.top(callerOf(request), request.params.ref, request.query.psArgs ?? null)
  })
  app.get('/containers/:ref/stats', { schema: statsDoc }, async (request) => {
    return containers.stats(callerOf(request), request.params.ref)
  })
  app.get('/containers/:ref/actions', { schema: actionsDoc }, async (request) => {
    const actions = await containers.actions(callerOf(request), request.params.ref)
    return { actions: actions.map((action) => toActionView(action)) }
  })
  app.get('/containers/:ref/actions/:request', { schema: actionDoc }, async (request) => {
    const { ref, request: asked } = request.params
    const { action, events } = await containers.action(callerOf(request), ref, asked as RequestId)
    return toActionView(action, events)
  })
  app.post('/containers/:ref/commit', { schema: commitDoc }, async (request, reply) => {
    const { repository, tag: name = 'latest' } = request.body
    const image = await containers.commit(callerOf(request), request.params.ref, repository, name)
    return reply.code(202).send(toImageView(image))
  })
}

const topDoc = operation({
  operationId: 'listProcesses',
  summary: 'List the processes in a container',
  tag,
  params: Ref,
  querystring: TopQuery,
  answer: { status: 200, description: 'A table.', content: Top },
})
const statsDoc = operation({
  operationId: 'showStats',
  summary: 'Show what a container uses at this moment',
  tag,
  params: Ref,
  answer: { status: 200, description: 'Figures.', content: Stats },
})
const actionsDoc = operation({
  operationId: 'listActions',
  summary: 'List what was asked of a container, newest first',
  tag,
  params: Ref,
  answer: { status: 200, description: 'Actions without their steps.', content: 'ActionList' },
})
const actionDoc = operation({
  operationId: 'showAction',
  summary: 'Show one action with the steps taken for it',
  tag,
  params: ActionParams,
  answer: { status: 200, description: 'The action.', content: 'Action' },
})
const commitDoc = operation({
  operationId: 'commitContainer',
  summary: 'Save a container as an image of the project',
  description: 'Answers before the image is complete; its `size` is null until then.',
  tag,
  params: Ref,
  body: CommitContainer,
  answer: { status: 202, description: 'The image that is being made.', content: 'Image' },
})
