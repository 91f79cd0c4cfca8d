import { parseCapsuleTemplate } from '@gantry/control'
import { callerOf } from '@gantry/http'
import type { CapsuleId } from '@gantry/model'
import Type from 'typebox'
import type { App, NativeContext } from '../context.ts'
import { exact } from '../fields.ts'
import { deleting, listing, operation, showing } from '../operation.ts'
import { AllProjects, bounded, isYes, text, whole } from '../query.ts'
import { CreateCapsule } from '../schemas-storage.ts'
import { toCapsuleView } from '../translate-storage.ts'

const tag = 'capsules'
const capsule = { tag, noun: 'capsule', schema: 'Capsule' }
const ListQuery = Type.Object(
  {
    ...AllProjects.properties,
    limit: whole('At most so many (1 to 1000); 100 if left out.'),
    marker: text('The `next` of the page before.'),
  },
  exact,
)

export function capsuleRoutes(app: App, { control }: NativeContext): void {
  const { capsules } = control
  app.get('/capsules', { schema: listing(capsule, ListQuery) }, async (request) => {
    const caller = callerOf(request)
    const { allProjects, limit: asked, marker } = request.query
    const limit = bounded('limit', asked, 100, [1, 1000])
    const query = { allProjects: isYes(allProjects), marker: (marker as CapsuleId | undefined) ?? null }
    // One more than asked for tells whether there is a next page.
    const found = await capsules.list(caller, { ...query, limit: limit + 1 })
    const page = found.slice(0, limit)
    return {
      capsules: page.map((one) => toCapsuleView(one, caller)),
      next: found.length > page.length ? (page.at(-1)?.capsule.id ?? null) : null,
    }
  })
  app.post('/capsules', { schema: createDoc }, async (request, reply) => {
    const caller = callerOf(request)
    const made = await capsules.create(caller, parseCapsuleTemplate(request.body.template))
    return reply.code(202).header('location', `/v1/capsules/${made.capsule.id}`).send(toCapsuleView(made, caller))
  })
  app.get('/capsules/:ref', { schema: showing(capsule, AllProjects) }, async (request) => {
    const allProjects = isYes(request.query.allProjects)
    const found = await capsules.get(callerOf(request), request.params.ref, { allProjects })
    return toCapsuleView(found, callerOf(request))
  })
  app.delete('/capsules/:ref', { schema: deleting(capsule, AllProjects, 202) }, async (request, reply) => {
    const allProjects = isYes(request.query.allProjects)
    await capsules.delete(callerOf(request), request.params.ref, { allProjects })
    return reply.code(202).send()
  })
}

const createDoc = operation({
  operationId: 'createCapsule',
  summary: 'Create a capsule: containers that share a network and live and end together',
  tag,
  body: CreateCapsule,
  answer: { status: 202, description: 'It is being created.', content: 'Capsule' },
})
